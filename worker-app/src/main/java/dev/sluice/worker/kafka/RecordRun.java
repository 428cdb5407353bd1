// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.Order;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.engine.OrderedBy;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.engine.TaskRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A run with the record that it came from. It is also what the handler is told of its task, so that
 * a task costs no more objects than it has to.
 */
final class RecordRun extends TaskRun implements TaskContext, Task.Received {
  /** What the objects around a record take, roughly: a task of zero bytes is not free. */
  private static final int OVERHEAD_BYTES = 256;

  private static final int PROGRESS_CHARS_MAX = 200;
  private static final int CHILDREN_MAX = 1_000;
  private static final long CHILDREN_BYTES_MAX = 8L << 20;

  final ConsumerRecord<byte[], byte[]> record;
  final QueueBinding queue;
  final HandlerBinding binding;
  long firstFailureAtMillis;

  /** What is to be published before this task is done. */
  private List<ProducerRecord<byte[], byte[]>> children = List.of();

  private long childrenBytes;
  private boolean open;

  /** Whether it is the second record of a task, which is not run. */
  boolean duplicate;

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

  /** How long it is not to run yet, in milliseconds; 0 or less if it may. */
  long earlyMillis(Clock clock) {
    long notBefore = TaskCodec.notBeforeMillis(record.headers());
    return notBefore == Long.MIN_VALUE ? 0 : notBefore - clock.epochMillis();
  }

  /** Whether it came back through the retry topic. */
  boolean ofRetryTopic() {
    return record.topic().equals(queue.retryTopic());
  }

  /** Its queue as the history names it: partition and offset of a retry are those of its topic. */
  String historyQueue() {
    return ofRetryTopic() ? queue.retryTopic() : queue.name();
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
  public void heartbeat(String progress) {
    String shown =
        progress.length() <= PROGRESS_CHARS_MAX
            ? progress
            : progress.substring(0, PROGRESS_CHARS_MAX);
    heartbeat(queue.clock().nanos(), shown);
  }

  @Override
  public synchronized String submit(Task<?> child) {
    if (!open) {
      throw new IllegalStateException("Task " + id() + " is not with its handler any more");
    }
    if (children.size() >= CHILDREN_MAX || childrenBytes > CHILDREN_BYTES_MAX) {
      throw new IllegalStateException(
          "Task "
              + id()
              + " has submitted "
              + children.size()
              + " tasks of "
              + childrenBytes
              + " bytes: more than "
              + CHILDREN_MAX
              + " or 8 MiB would have to be kept until it is done. Submit tasks that submit the"
              + " rest.");
    }
    ProducerRecord<byte[], byte[]> record =
        queue.children().record(this, child, children.size() + 1);
    if (children.isEmpty()) {
      children = new ArrayList<>();
    }
    children.add(record);
    childrenBytes += ChildTasks.bytes(record);
    return String.valueOf(TaskCodec.text(record.headers(), TaskHeaders.ID));
  }

  /**
   * What the present attempt submits is kept from now on. Without a lock, which each task would pay
   * for: a handler that returns while a thread of its own still submits breaks the contract, and is
   * told where it is noticed.
   */
  void openChildren() {
    open = true;
    if (!children.isEmpty()) {
      children = List.of();
      childrenBytes = 0;
    }
  }

  /** The attempt is over: nothing more is submitted. */
  void closeChildren() {
    open = false;
  }

  /** What the last attempt has submitted, in its order. */
  List<ProducerRecord<byte[], byte[]>> children() {
    return children;
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
