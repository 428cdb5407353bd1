// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.engine.TaskRun;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads records again of which the engine has kept only the places, because their keys were held
 * back: the consumer goes back to the first one that is wanted, and forward again once all are
 * there. What is read meanwhile and not wanted is left alone. Used on the poll thread only.
 */
final class Rereads {
  private static final Logger LOG = LoggerFactory.getLogger(Rereads.class);

  private final KafkaConsumer<byte[], byte[]> kafka;
  private final LoopState state;

  /** Up to where each partition was read again; those that are read on are not in it. */
  private final Map<TopicPartition, Long> readAgainTo = new HashMap<>();

  Rereads(KafkaConsumer<byte[], byte[]> kafka, LoopState state) {
    this.kafka = kafka;
    this.state = state;
  }

  /** Goes back where something is wanted, and forward where nothing is wanted any more. */
  void seek() {
    Map<TopicPartition, Long> seeks = new HashMap<>();
    state.lock.lock();
    try {
      for (Iterator<TopicPartition> i = readAgainTo.keySet().iterator(); i.hasNext(); ) {
        TopicPartition id = i.next();
        PartitionState partition = state.engine.partition(LoopState.idOf(id));
        if (partition != null && partition.wantedFrom() < 0) {
          i.remove();
          seeks.put(id, partition.ledger().seen());
        }
      }
      for (PartitionState partition : state.engine.live()) {
        long from = partition.wantedFrom();
        if (from >= 0) {
          TopicPartition id = LoopState.kafkaId(partition);
          Long to = readAgainTo.get(id);
          if (to == null || from < to) {
            readAgainTo.put(id, from);
            seeks.put(id, from);
          }
        }
      }
    } finally {
      state.lock.unlock();
    }
    seeks.forEach(kafka::seek);
  }

  /** Whether the records of a partition are read again now. */
  boolean watches(TopicPartition id) {
    return readAgainTo.containsKey(id);
  }

  /** Records of a partition that is read again. */
  void accept(
      TopicPartition id, PartitionState partition, List<ConsumerRecord<byte[], byte[]>> records) {
    long to = readAgainTo.getOrDefault(id, 0L);
    state.lock.lock();
    try {
      for (ConsumerRecord<byte[], byte[]> record : records) {
        lost(id, partition, to, record.offset());
        to = record.offset() + 1;
        TaskRun wanted = partition.wantedAt(record.offset());
        // Where there is no room now, it stays wanted, and the way back to it is made again.
        if (wanted != null && state.engine.hasRoomFor(wanted)) {
          state.engine.unshelved(wanted, ((RecordRun) wanted).readAgain(record));
        }
      }
    } finally {
      state.lock.unlock();
    }
    readAgainTo.put(id, to);
  }

  /** The log begins behind the position: what was wanted before that is gone. */
  void outOfRange(TopicPartition id, PartitionState partition, long first) {
    state.lock.lock();
    try {
      lost(id, partition, 0, first);
    } finally {
      state.lock.unlock();
    }
    readAgainTo.put(id, first);
    kafka.seek(id, first);
  }

  private void lost(TopicPartition id, PartitionState partition, long from, long to) {
    for (TaskRun gone : partition.wantedIn(from, to)) {
      state.counters.lostByRetention(1);
      LOG.error(
          "{} LOST_BY_RETENTION: offset {} of {} was deleted while its key waited for another task"
              + " of it. Raise retention.ms or retention.bytes of the topic, or shorten the"
              + " retries of its handler.",
          state.prefix(),
          gone.offset(),
          id);
      state.engine.lostFromLog(gone);
    }
  }

  /** This partition is no longer this worker's, or begins anew. */
  void end(TopicPartition id) {
    readAgainTo.remove(id);
  }
}
