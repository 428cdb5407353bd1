// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Where the brokers of a cluster listen.
 *
 * @param clients the port for clients of each broker
 * @param controllers the port for the other controllers of each broker
 */
record BrokerPorts(List<Integer> clients, List<Integer> controllers) {
  private static final int MOST_BROKERS = 3;
  private static final int HIGHEST = 65_535;

  BrokerPorts {
    clients = List.copyOf(clients);
    controllers = List.copyOf(controllers);
  }

  static int checkedCount(int brokers) {
    if (brokers < 1 || brokers > MOST_BROKERS) {
      throw new IllegalArgumentException(
          "brokers is " + brokers + "; it must be from 1 to " + MOST_BROKERS);
    }
    return brokers;
  }

  static int checkedFirst(int port) {
    if (port < 0 || port > HIGHEST) {
      throw new IllegalArgumentException("port is " + port + "; it must be from 0 to " + HIGHEST);
    }
    return port;
  }

  /**
   * Ports that are free now.
   *
   * @param first the client port of the first broker, the others follow; 0 for any
   * @throws LocalKafkaException if one of the client ports is in use
   */
  static BrokerPorts choose(int brokers, int first) {
    if (first + brokers - 1 > HIGHEST) {
      throw new IllegalArgumentException(
          "port is "
              + first
              + "; with "
              + brokers
              + " brokers the last one would be above "
              + HIGHEST);
    }
    if (first != 0) {
      IntStream.range(first, first + brokers).forEach(BrokerFiles::requireFree);
    }
    // As many again as could be taken from those that follow the first one.
    List<Integer> free =
        BrokerFiles.freePorts(3 * brokers).stream()
            .filter(port -> first == 0 || port < first || port >= first + brokers)
            .toList();
    List<Integer> clients =
        first == 0
            ? free.subList(brokers, 2 * brokers)
            : IntStream.range(first, first + brokers).boxed().toList();
    return new BrokerPorts(clients, free.subList(0, brokers));
  }

  int brokers() {
    return clients.size();
  }

  int client(int broker) {
    return clients.get(broker - 1);
  }

  int controller(int broker) {
    return controllers.get(broker - 1);
  }

  String bootstrapServers() {
    return clients.stream().map(port -> "localhost:" + port).collect(Collectors.joining(","));
  }
}
