// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One broker as a process of its own, started by {@link KafkaProcess}. It ends when its standard
 * input ends, so that it does not outlive the process that started it.
 */
public final class BrokerMain {
  private BrokerMain() {}

  /** Arguments: node, ports, controller ports (both joined by commas), folder, then name=value. */
  @SuppressWarnings("SystemOut") // what goes there is the log of the process
  public static void main(String[] args) {
    QuietLogs.on();
    Map<String, String> overrides = new LinkedHashMap<>();
    for (String property : Arrays.asList(args).subList(4, args.length)) {
      int at = property.indexOf('=');
      overrides.put(property.substring(0, at), property.substring(at + 1));
    }
    EmbeddedBroker broker =
        new EmbeddedBroker(
            new BrokerConfig(
                Integer.parseInt(args[0]),
                new BrokerPorts(numbers(args[1]), numbers(args[2])),
                Path.of(args[3]),
                overrides));
    Runtime.getRuntime().addShutdownHook(new Thread(broker::stop, "sluice-stop-broker"));
    try {
      broker.start();
    } catch (LocalKafkaException e) {
      e.printStackTrace(System.err);
      // Not exit: what was started of the broker could wait for others, and hold it up.
      Runtime.getRuntime().halt(1);
    }
    awaitEndOfInput();
    Runtime.getRuntime().exit(0);
  }

  private static void awaitEndOfInput() {
    try {
      while (System.in.read() >= 0) {
        // What is said there is not listened to.
      }
    } catch (IOException e) {
      // The other end is gone.
    }
  }

  private static List<Integer> numbers(String joined) {
    return Arrays.stream(joined.split(",")).map(Integer::valueOf).toList();
  }
}
