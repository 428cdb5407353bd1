// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.Order;
import dev.sluice.wire.TaskCodec;
import dev.sluice.worker.engine.OrderedBy;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.engine.TaskRun;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A run with the record that it came from. */
final class RecordRun extends TaskRun {
  /** What the objects around a record take, roughly: a task of zero bytes is not free. */
  private static final int OVERHEAD_BYTES = 256;

  final ConsumerRecord<byte[], byte[]> record;
  final QueueBinding queue;
  final HandlerBinding binding;
  long firstFailureAtMillis;

  RecordRun(
      ConsumerRecord<byte[], byte[]> record,
      PartitionState partition,
      QueueBinding queue,
      HandlerBinding binding) {
    super(
        record.offset(),
        partition,
        binding.state(),
        order(record, partition, queue.order()),
        bytes(record),
        TaskCodec.attempt(record));
    this.record = record;
    this.queue = queue;
    this.binding = binding;
  }

  private static OrderedBy order(
      ConsumerRecord<byte[], byte[]> record, PartitionState partition, Order order) {
    return OrderedBy.of(order, partition, record.key());
  }

  private static int bytes(ConsumerRecord<byte[], byte[]> record) {
    return OVERHEAD_BYTES
        + Math.max(0, record.serializedKeySize())
        + Math.max(0, record.serializedValueSize());
  }

  String id() {
    return TaskCodec.id(record);
  }
}
