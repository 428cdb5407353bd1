// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.Order;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskResult;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import dev.sluice.worker.engine.OrderedBy;
import dev.sluice.worker.engine.PartitionState;
import dev.sluice.worker.engine.TaskRun;
import dev.sluice.worker.fleet.ChildRoom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A run with the record that it came from. It is also what the handler is told of its task, so that
 * a task costs no more objects than it has to.
 */
final class RecordRun extends TaskRun implements TaskContext, Task.Received, ChildRoom.Asking {
  /** What the objects around a record take, roughly: a task of zero bytes is not free. */
  private static final int OVERHEAD_BYTES = 256;

  private static final Headers NO_HEADERS = new RecordHeaders();
  private static final int TENANT_CHARS_MAX = 200;
  private static final int PROGRESS_CHARS_MAX = 200;

  ConsumerRecord<byte[], byte[]> record;
  final QueueBinding queue;
  final HandlerBinding binding;
  long firstFailureAtMillis;

  /** What is to be published before this task is done; null if nothing. */
  private @Nullable RunEffects effects;

  private boolean open;

  /** Whether it is the second record of a task, which is not run; if it is counted, it ends. */
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
    if (queue.state().inTurns()) {
      servedAs(queue.priorityOf(record), queue.state().hasTenants() ? tenant(record) : "");
    }
  }

  private static String tenant(ConsumerRecord<byte[], byte[]> record) {
    String given = TaskCodec.text(record.headers(), TaskHeaders.TENANT);
    return given == null
        ? ""
        : given.length() > TENANT_CHARS_MAX ? given.substring(0, TENANT_CHARS_MAX) : given;
  }

  /** How urgent it is: 0 for the least, and where its queue has no priorities. */
  int priority() {
    return level();
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

  /** What is left of it is where it lies. */
  @Override
  protected void shelved() {
    record =
        new ConsumerRecord<>(
            record.topic(),
            record.partition(),
            record.offset(),
            ConsumerRecord.NO_TIMESTAMP,
            TimestampType.NO_TIMESTAMP_TYPE,
            ConsumerRecord.NULL_SIZE,
            ConsumerRecord.NULL_SIZE,
            null,
            null,
            NO_HEADERS,
            Optional.empty());
  }

  /** It has its record again; returns what it costs in memory. */
  int readAgain(ConsumerRecord<byte[], byte[]> again) {
    record = again;
    return bytes(again);
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

  /** How long it is not to run yet, in milliseconds; 0 or less if it may, 0 if it says nothing. */
  long earlyMillis(Clock clock) {
    long notBefore = TaskCodec.notBeforeMillis(record.headers());
    return notBefore == Long.MIN_VALUE ? 0 : notBefore - clock.epochMillis();
  }

  /** The batch whose end it waits for; null if for none. */
  @Nullable String afterBatch() {
    return TaskCodec.text(record.headers(), TaskHeaders.AFTER_BATCH);
  }

  /** The batch that it belongs to; null if to none. */
  @Nullable String batch() {
    return TaskCodec.text(record.headers(), TaskHeaders.BATCH);
  }

  /** Whether its end is to be counted, in one transaction with its progress. */
  boolean isCounted() {
    return assignment().transactional() && batch() != null;
  }

  /** Whether it came back through the retry topic. */
  boolean ofRetryTopic() {
    return record.topic().equals(queue.retryTopic());
  }

  /** Its queue as the history names it: partition and offset are those of a topic. */
  String historyQueue() {
    return record.topic().equals(queue.topic()) ? queue.name() : record.topic();
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
    RunEffects mine = ownEffects();
    mine.requireRoom(id());
    ProducerRecord<byte[], byte[]> made = queue.children().record(this, child, mine.children() + 1);
    boolean own = queue.isOwn(made.topic());
    if (own) {
      mine.requireChild(id(), queue.childrenMost());
    }
    mine.add(made, own);
    return String.valueOf(TaskCodec.text(made.headers(), TaskHeaders.ID));
  }

  @Override
  public synchronized void result(Object value) {
    RunEffects mine = ownEffects();
    ChildTasks children = queue.children();
    mine.result(children.result(id(), value), children.contentType(value));
  }

  private RunEffects ownEffects() {
    if (!open) {
      throw new IllegalStateException("Task " + id() + " is not with its handler any more");
    }
    RunEffects mine = effects;
    if (mine == null) {
      mine = new RunEffects();
      effects = mine;
    }
    return mine;
  }

  /**
   * What the present attempt wants published is kept from now on. Without a lock, which each task
   * would pay for: a handler that returns while a thread of its own still submits breaks the
   * contract, and is told where it is noticed.
   */
  void openEffects() {
    open = true;
    if (effects != null) {
      effects = null;
    }
  }

  /** The attempt failed: nothing of what it wanted published is. */
  void dropEffects() {
    effects = null;
  }

  /** The attempt is over: nothing more is published with it. */
  void closeEffects() {
    open = false;
  }

  /**
   * Whether there is something to publish before this task counts as ended, what tells its
   * submitter included. May ask the brokers for the topic, once for each.
   */
  boolean hasEffects(TaskResult.Outcome outcome, int attempts) {
    RunEffects mine = effects;
    ProducerRecord<byte[], byte[]> reply =
        queue
            .children()
            .reply(
                this,
                outcome,
                attempts,
                mine == null ? null : mine.result(),
                mine == null ? null : mine.resultType(),
                null);
    if (reply != null) {
      mine = mine == null ? new RunEffects() : mine;
      mine.reply(reply);
      effects = mine;
    }
    return mine != null && (reply != null || mine.children() > 0) || isCounted();
  }

  @Override
  public int depth() {
    return TaskCodec.depth(record.headers()) + 1;
  }

  @Override
  public int children() {
    RunEffects mine = effects;
    return mine == null ? 0 : mine.own();
  }

  @Override
  public boolean mustGo() {
    return stale() || assignment().draining();
  }

  /** What is to be published with the end of this task, in its order. */
  List<ProducerRecord<byte[], byte[]>> effects() {
    RunEffects mine = effects;
    return mine == null ? List.of() : mine.records();
  }

  /** Whether this one of them only tells the submitter. */
  boolean isReply(ProducerRecord<byte[], byte[]> record) {
    RunEffects mine = effects;
    return mine != null && mine.isReply(record);
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
