// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import java.io.IOException;
import java.util.List;

/** One group of workloads. */
enum Suite {
  /** Tasks that do nothing: what a system itself costs. */
  NOOP(Throughput::noop),
  /** Tasks that wait, at several concurrencies. */
  WAITS(Throughput::waits),
  /** Hot keys in one partition. */
  ZIPF(Throughput::zipf),
  /** Tasks of 50 microseconds of arithmetic. */
  SPIN(Throughput::spin),
  /** Latency at a given rate. */
  OPEN(OpenLoop::run),
  /** One task of 30 seconds among fast ones, and a kill. */
  STUCK(Faults::stuck),
  /** Kills in the middle. */
  KILL(Faults::kill),
  /** Small heaps, and backlogs of different sizes. */
  MEMORY(Throughput::memory),
  /** A thousand partitions in one worker. */
  PARTITIONS(Throughput::partitions),
  /** What a worker costs that has nothing to do. */
  IDLE(Idle::run),
  /** Publishing, through the producer and through the HTTP gateway. */
  PRODUCER(Producing::run),
  /** What a task costs while partitions, keys, lanes, handlers or workers grow; with pictures. */
  GROWTH(Growth::run),
  /** What a queue without a bound does when more is offered than can be done; with pictures. */
  UNBOUNDED(Unbounded::run);

  private final Body body;

  @FunctionalInterface
  private interface Body {
    List<Table> run(Bench bench) throws IOException, InterruptedException;
  }

  Suite(Body body) {
    this.body = body;
  }

  List<Table> run(Bench bench) throws IOException, InterruptedException {
    return body.run(bench);
  }
}
