// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import java.util.ArrayList;
import java.util.List;

/**
 * A system as it is measured.
 *
 * @param name in the tables
 * @param module the folder below {@code benchmarks} that has its class path
 * @param main its class with {@code main}
 * @param arguments its own options
 * @param newer whether it runs on the newer JVM
 * @param share of a workload's tasks that it is given: the slow ones get fewer, and their rates are
 *     those of fewer tasks
 */
record Contender(
    String name, String module, String main, List<String> arguments, boolean newer, double share) {
  private static final String CLIENTS = "dev.sluice.benchmarks.clients.";

  static final Contender PLAIN =
      new Contender("plain loop", "kafka-clients", CLIENTS + "PlainLoop", List.of(), false, 1);
  static final Contender PLAIN_CLASSIC =
      PLAIN.named("plain loop, classic protocol").with("protocol=classic");
  static final Contender POOL =
      new Contender(
          "pool per batch",
          "kafka-clients",
          CLIENTS + "PoolPerBatch",
          List.of("poll=20000"),
          false,
          1);
  static final Contender POOL_VIRTUAL =
      POOL.named("pool per batch, virtual threads").with("threads=virtual").onNewer();
  static final Contender SHARE =
      new Contender(
          "share, implicit", "kafka-clients", CLIENTS + "ShareLoop", List.of(), false, 0.25);
  static final Contender SHARE_EXPLICIT = SHARE.named("share, explicit").with("mode=explicit");
  static final Contender PC_KEY =
      new Contender(
          "Parallel Consumer KEY",
          "parallel-consumer",
          "dev.sluice.benchmarks.parallelconsumer.ParallelConsumerLoop",
          List.of("order=KEY"),
          false,
          0.08);
  static final Contender PC_UNORDERED =
      PC_KEY.named("Parallel Consumer UNORDERED").with("order=UNORDERED");
  static final Contender SPRING =
      new Contender(
          "Spring Kafka",
          "spring-kafka",
          "dev.sluice.benchmarks.spring.SpringLoop",
          List.of(),
          false,
          1);
  static final Contender SLUICE_KEY =
      new Contender(
          "Sluice key",
          "sluice",
          "dev.sluice.benchmarks.sluice.SluiceLoop",
          List.of("order=key"),
          false,
          1);
  static final Contender SLUICE_KIP848 =
      SLUICE_KEY.named("Sluice key, KIP-848").with("protocol=consumer");
  static final Contender SLUICE_LIMITS =
      SLUICE_KEY.named("Sluice key, all limits").with("limits=all");
  static final Contender SLUICE_PARTITION =
      SLUICE_KEY.named("Sluice partition").with("order=partition");
  static final Contender SLUICE_NONE = SLUICE_KEY.named("Sluice none").with("order=none");
  static final Contender SLUICE_NEWER = SLUICE_KEY.named("Sluice key, newer JVM").onNewer();

  Contender named(String newName) {
    return new Contender(newName, module, main, arguments, newer, share);
  }

  Contender with(String... more) {
    List<String> all = new ArrayList<>(arguments);
    all.addAll(List.of(more));
    return new Contender(name, module, main, all, newer, share);
  }

  Contender onNewer() {
    return new Contender(name, module, main, arguments, true, share);
  }

  Contender share(double newShare) {
    return new Contender(name, module, main, arguments, newer, newShare);
  }
}
