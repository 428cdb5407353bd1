// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The configuration of one broker of a local cluster: broker and controller in one, on the loopback
 * address, with small buffers.
 *
 * @param node its number, from 1
 * @param ports the client port of each broker
 * @param controllerPorts the controller port of each broker
 * @param folder where its data lies
 * @param clusterId the id of the cluster
 * @param overrides properties that replace the ones below
 */
record BrokerConfig(
    int node,
    int[] ports,
    int[] controllerPorts,
    Path folder,
    String clusterId,
    Map<String, String> overrides) {

  static final String CONTROLLER = "CONTROLLER";

  Map<String, String> properties() {
    int brokers = ports.length;
    String replicas = Integer.toString(Math.min(3, brokers));
    String minInSync = brokers >= 3 ? "2" : "1";
    StringBuilder voters = new StringBuilder();
    for (int i = 0; i < brokers; i++) {
      voters
          .append(i == 0 ? "" : ",")
          .append(i + 1)
          .append("@127.0.0.1:")
          .append(controllerPorts[i]);
    }
    Map<String, String> p = new LinkedHashMap<>();
    p.put("process.roles", "broker,controller");
    p.put("node.id", Integer.toString(node));
    p.put("controller.quorum.voters", voters.toString());
    p.put("controller.listener.names", CONTROLLER);
    p.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:"
            + ports[node - 1]
            + ","
            + CONTROLLER
            + "://127.0.0.1:"
            + controllerPorts[node - 1]);
    p.put("advertised.listeners", "PLAINTEXT://localhost:" + ports[node - 1]);
    p.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER + ":PLAINTEXT");
    p.put("inter.broker.listener.name", "PLAINTEXT");
    p.put("log.dirs", folder.toString());
    p.put("auto.create.topics.enable", "false");
    p.put("default.replication.factor", replicas);
    p.put("min.insync.replicas", minInSync);
    p.put("offsets.topic.replication.factor", replicas);
    p.put("offsets.topic.num.partitions", "8");
    p.put("transaction.state.log.replication.factor", replicas);
    p.put("transaction.state.log.min.isr", minInSync);
    p.put("transaction.state.log.num.partitions", "8");
    p.put("share.coordinator.state.topic.replication.factor", replicas);
    p.put("share.coordinator.state.topic.min.isr", minInSync);
    p.put("share.coordinator.state.topic.num.partitions", "4");
    p.put("group.initial.rebalance.delay.ms", "0");
    p.put("broker.session.timeout.ms", "2000");
    p.put("broker.heartbeat.interval.ms", "500");
    // The last brokers of several have no quorum to ask for their shutdown: they would wait 5
    // minutes.
    p.put("controlled.shutdown.enable", Boolean.toString(brokers == 1));
    p.put("log.cleaner.dedupe.buffer.size", "2097152");
    p.put("num.network.threads", "2");
    p.put("num.io.threads", "4");
    p.put("num.recovery.threads.per.data.dir", "2");
    p.put("log.segment.bytes", "67108864");
    p.putAll(overrides);
    return p;
  }
}
