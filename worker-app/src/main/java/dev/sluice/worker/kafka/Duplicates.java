// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.flow.dedupe.IdWindow;
import dev.sluice.queue.DedupeDefinition;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskDigest;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells tasks that came before from those that did not, by the log alone: who is given a partition
 * first reads again what came within the window before its position, without working it. Used on
 * the poll thread only.
 */
final class Duplicates {
  private static final Logger LOG = LoggerFactory.getLogger(Duplicates.class);
  private static final Duration LOOKUP_TIMEOUT = Duration.ofSeconds(10);

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final LoopState state;
  private final TaskDigest digest = new TaskDigest();
  private final Map<TopicPartition, Window> windows = new HashMap<>();

  /** What is to be done with a record. */
  enum Verdict {
    WORK,
    /** It is the second one of a task. */
    DUPLICATE,
    /** It was read only to be known: it lies before where this worker begins. */
    BEFORE
  }

  /** What is known of one partition. */
  private static final class Window {
    final IdWindow ids;
    final DedupeDefinition definition;
    final long position;
    boolean toldShort;

    Window(DedupeDefinition definition, long position) {
      this.position = position;
      this.definition = definition;
      this.ids = new IdWindow(definition.window().toMillis(), definition.maxIds());
    }
  }

  Duplicates(KafkaConsumer<byte[], byte[]> kafka, LoopState state) {
    this.kafka = kafka;
    this.state = state;
  }

  /**
   * Begins with partitions that were given to this worker.
   *
   * @param positions where work begins in each
   * @return from where each is to be read
   */
  Map<TopicPartition, Long> begin(Map<TopicPartition, Long> positions) {
    Map<TopicPartition, Long> from = new HashMap<>(positions);
    Map<TopicPartition, Long> wanted = new HashMap<>();
    positions.forEach(
        (id, position) -> {
          windows.remove(id);
          QueueBinding queue = state.queue(id.topic());
          if (queue != null && !queue.dedupe(id.topic()).isNone()) {
            DedupeDefinition dedupe = queue.dedupe(id.topic());
            windows.put(id, new Window(dedupe, position));
            wanted.put(id, dedupe.window().toMillis());
          }
        });
    if (wanted.isEmpty()) {
      return from;
    }
    Map<TopicPartition, Long> first = kafka.beginningOffsets(wanted.keySet(), LOOKUP_TIMEOUT);
    Map<TopicPartition, Long> oneWindowBefore = oneWindowBefore(positions, wanted);
    for (TopicPartition id : wanted.keySet()) {
      Window window = windows.get(id);
      if (window != null) {
        long most = window.position - window.definition.maxIds();
        long start = Math.max(oneWindowBefore.getOrDefault(id, 0L), most);
        long there = Math.max(start, first.getOrDefault(id, 0L));
        from.put(id, Math.min(window.position, there));
      }
    }
    LOG.info("{} Reading what came before, to know duplicates, from {}", state.prefix(), from);
    return from;
  }

  /**
   * Offsets that are at least a window older than the record at the position, whose time is not
   * known: the time that is looked back is doubled until it reaches the position, and one window is
   * added.
   */
  private Map<TopicPartition, Long> oneWindowBefore(
      Map<TopicPartition, Long> positions, Map<TopicPartition, Long> windowMillis) {
    long now = state.clock.epochMillis();
    Map<TopicPartition, Long> back = new HashMap<>(windowMillis);
    Set<TopicPartition> tooLate = new HashSet<>(back.keySet());
    while (!tooLate.isEmpty()) {
      Map<TopicPartition, Long> offsets = offsets(back, tooLate, now);
      // Where nothing is that young, all of the log is older.
      tooLate.removeIf(
          id ->
              back.getOrDefault(id, now) >= now
                  || offsets.getOrDefault(id, Long.MAX_VALUE) <= positions.getOrDefault(id, 0L));
      tooLate.forEach(id -> back.merge(id, 0L, (known, none) -> 2 * known));
    }
    windowMillis.forEach((id, window) -> back.merge(id, window, Long::sum));
    return offsets(back, back.keySet(), now);
  }

  private Map<TopicPartition, Long> offsets(
      Map<TopicPartition, Long> backMillis, Set<TopicPartition> of, long nowMillis) {
    Map<TopicPartition, Long> times = new HashMap<>();
    of.forEach(id -> times.put(id, Math.max(0, nowMillis - backMillis.getOrDefault(id, 0L))));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    kafka
        .offsetsForTimes(times, LOOKUP_TIMEOUT)
        .forEach(
            (id, found) -> {
              if (found != null) {
                offsets.put(id, found.offset());
              }
            });
    return offsets;
  }

  /** Whether the records of a partition are to be looked at. */
  boolean watches(TopicPartition id) {
    return windows.containsKey(id);
  }

  /** Looks at the next record of its partition. */
  Verdict look(TopicPartition id, ConsumerRecord<byte[], byte[]> record) {
    Window window = windows.get(id);
    if (window == null) {
      return Verdict.WORK;
    }
    boolean second = second(window, id, record);
    if (record.offset() < window.position) {
      return Verdict.BEFORE;
    }
    return second ? Verdict.DUPLICATE : Verdict.WORK;
  }

  private boolean second(Window window, TopicPartition id, ConsumerRecord<byte[], byte[]> record) {
    byte[] taskId = TaskCodec.givenId(record);
    if (taskId == null) {
      return false; // its id is its place: there is no other one
    }
    digest.of(taskId);
    // A time that has not come yet would end the window of all others.
    long at = Math.min(record.timestamp(), state.clock.epochMillis());
    boolean duplicate = window.ids.add(digest.high(), digest.low(), at);
    if (!window.toldShort && window.ids.forgottenEarly() > 0) {
      window.toldShort = true;
      LOG.warn(
          "{} More than {} tasks came to {} within the {} s of its dedupe window, which covers only"
              + " {} s now: raise dedupe.maxIds (about 40 bytes each) or shorten the window",
          state.prefix(),
          window.definition.maxIds(),
          id,
          window.definition.window().toSeconds(),
          Duration.ofMillis(window.ids.coveredMillis()).toSeconds());
    }
    // What was put back from the dead letters is no duplicate of itself.
    return duplicate && record.headers().lastHeader(TaskHeaders.REDRIVEN) == null;
  }

  /** Where work began in this partition, or -1 where nothing is read before that. */
  long position(TopicPartition id) {
    Window window = windows.get(id);
    return window == null ? -1 : window.position;
  }

  /** This partition is no longer this worker's. */
  void end(TopicPartition id) {
    windows.remove(id);
  }
}
