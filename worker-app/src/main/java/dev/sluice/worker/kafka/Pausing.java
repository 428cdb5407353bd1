// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.worker.engine.PartitionState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** Pauses and resumes partitions as the engine decided. Used on the poll thread only. */
final class Pausing {
  private static final long DRAIN_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long DRAIN_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final LoopState state;
  private final Commits commits;

  Pausing(KafkaConsumer<byte[], byte[]> kafka, LoopState state, Commits commits) {
    this.kafka = kafka;
    this.state = state;
    this.commits = commits;
  }

  /**
   * Waits with a pause while the lanes drain so fast that it would be over at once. A partition
   * that is paused is left out of the next fetch, and then waits for that of the empty ones, which
   * the broker holds back for {@code fetch.max.wait.ms}: fast handlers would run dry meanwhile.
   */
  void letLanesDrain() {
    Set<TopicPartition> paused = kafka.paused();
    long begun = state.clock.nanos();
    long first = surplus(paused);
    for (long rest = first; rest > 0; rest = surplus(paused)) {
      long waited = state.clock.nanos() - begun;
      // At the pace so far, what is left takes longer than a pause is put off.
      boolean slow = (first - rest) * (DRAIN_NANOS_MAX - waited) < rest * waited;
      if (waited > DRAIN_NANOS_MAX || waited > DRAIN_LOOK_NANOS && slow || !look()) {
        return;
      }
      commits.commitIfDue();
      commits.lookForAcknowledgement();
    }
  }

  /** What the partitions that are fetched now would have to finish before they need no pause. */
  private long surplus(Set<TopicPartition> paused) {
    state.lock.lock();
    try {
      long surplus = 0;
      for (PartitionState partition : state.engine.live()) {
        long of = partition.surplus();
        if (of > 0 && !paused.contains(LoopState.kafkaId(partition))) {
          surplus += of;
        }
      }
      return surplus;
    } finally {
      state.lock.unlock();
    }
  }

  /** Waits a moment and decides anew; false if the loop is to end. */
  private boolean look() {
    state.lock.lock();
    try {
      state.awaitChange(DRAIN_LOOK_NANOS);
      long now = state.clock.nanos();
      state.lookAfter(now);
      state.engine.plan(now);
      return !state.stopRequested();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      state.lock.unlock();
    }
  }

  /** Makes the consumer's pauses those that the engine decided on. */
  void apply() {
    Set<TopicPartition> paused = kafka.paused();
    List<TopicPartition> pause = new ArrayList<>();
    List<TopicPartition> resume = new ArrayList<>();
    state.lock.lock();
    try {
      for (PartitionState partition : state.engine.live()) {
        if (partition.pauses().paused()) {
          TopicPartition id = LoopState.kafkaId(partition);
          if (!paused.contains(id)) {
            pause.add(id);
            partition.lane().stopped(true);
          }
        }
      }
      for (TopicPartition id : paused) {
        PartitionState partition = state.engine.partition(LoopState.idOf(id));
        if (partition != null && !partition.pauses().paused()) {
          resume.add(id);
          partition.lane().stopped(false);
        }
      }
    } finally {
      state.lock.unlock();
    }
    if (!pause.isEmpty()) {
      kafka.pause(pause);
    }
    if (!resume.isEmpty()) {
      kafka.resume(resume);
    }
  }
}
