// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.Order;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.worker.engine.OrderedBy;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.engine.TaskRun;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A run with the record that it came from. It is also what the handler is told of its task, so that
 * a task costs no more objects than it has to.
 */
final class RecordRun extends TaskRun implements TaskContext, Task.Received {
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
        bytes(record));
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

  @Override
  protected int firstAttempt() {
    return TaskCodec.attempt(record);
  }

  /** Whether its deadline has passed. Asks for the time only where there is one. */
  boolean expired(Clock clock) {
    long deadline = TaskCodec.deadlineMillis(record);
    return deadline != Long.MAX_VALUE && clock.epochMillis() > deadline;
  }

  @Override
  public String id() {
    return TaskCodec.id(record);
  }

  @Override
  public String type() {
    return TaskCodec.type(record, queue.defaultType());
  }

  @Override
  public byte[] payload() {
    return TaskCodec.payload(record);
  }

  @Override
  public byte @Nullable [] key() {
    return record.key();
  }

  @Override
  public Map<String, String> headers() {
    return TaskCodec.headers(record);
  }

  @Override
  public String worker() {
    return queue.worker();
  }

  @Override
  public String topic() {
    return record.topic();
  }

  @Override
  public int partition() {
    return record.partition();
  }
}
