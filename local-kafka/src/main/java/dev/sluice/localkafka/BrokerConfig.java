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
 * @param ports where all brokers of the cluster listen
 * @param folder where its data lies
 * @param overrides properties that replace the ones below, except for {@code log.dirs}
 */
record BrokerConfig(int node, BrokerPorts ports, Path folder, Map<String, String> overrides) {

  /** The same for all: a cluster of loopback addresses is never mixed up with another by its id. */
  static final String CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw";

  static final String CONTROLLER = "CONTROLLER";

  BrokerConfig {
    overrides = Map.copyOf(overrides);
  }

  Map<String, String> properties() {
    int brokers = ports.brokers();
    String replicas = Integer.toString(Math.min(3, brokers));
    String minInSync = brokers >= 3 ? "2" : "1";
    StringBuilder voters = new StringBuilder();
    for (int i = 1; i <= brokers; i++) {
      voters.append(i == 1 ? "" : ",").append(i).append("@127.0.0.1:").append(ports.controller(i));
    }
    Map<String, String> p = new LinkedHashMap<>();
    p.put("process.roles", "broker,controller");
    p.put("node.id", Integer.toString(node));
    p.put("controller.quorum.voters", voters.toString());
    p.put("controller.listener.names", CONTROLLER);
    p.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:"
            + ports.client(node)
            + ","
            + CONTROLLER
            + "://127.0.0.1:"
            + ports.controller(node));
    p.put("advertised.listeners", "PLAINTEXT://localhost:" + ports.client(node));
    p.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT," + CONTROLLER + ":PLAINTEXT");
    p.put("inter.broker.listener.name", "PLAINTEXT");
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
    // Without a bound, a broker waits for a quorum for ever.
    p.put("server.max.startup.time.ms", "60000");
    p.put("log.cleaner.dedupe.buffer.size", "2097152");
    p.put("num.network.threads", "2");
    p.put("num.io.threads", "4");
    p.put("num.recovery.threads.per.data.dir", "2");
    p.put("log.segment.bytes", "67108864");
    p.putAll(overrides);
    // Not to be overridden: the folder is formatted, and deleted, by its path.
    p.put("log.dirs", folder.toString());
    return p;
  }
}
