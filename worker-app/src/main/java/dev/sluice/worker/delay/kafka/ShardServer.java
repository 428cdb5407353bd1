// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.Cancellation;
import dev.sluice.Task;
import dev.sluice.delay.kafka.CancelCodec;
import dev.sluice.delay.kafka.DelayClients;
import dev.sluice.delay.kafka.DelayRecords;
import dev.sluice.delay.kafka.DelayTopics;
import dev.sluice.delay.kafka.Schedule;
import dev.sluice.flow.delay.DelayLevels;
import dev.sluice.flow.delay.DelayWheel;
import dev.sluice.flow.delay.DelayWheel.Entry;
import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.history.HistoryEvent;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.time.Clock;
import dev.sluice.wire.BatchCount;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.OffsetMetadataTooLarge;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one shard of the delay topics until it is stopped, fenced by another server of the shard,
 * or fails. Each batch of moves is one transaction with the offsets that it was read up to: a task
 * is in exactly one place, whoever dies. One thread; the rest is thread-safe.
 */
final class ShardServer implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(DelayService.class);
  private static final int BATCH_MAX = 1_000;
  private static final int FRONT_TASKS = 1_000;
  private static final long FRONT_BYTES = 256 << 10;
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final long POLL_MILLIS_MAX = 500;

  private static final String SOURCE = "sluice/schedule";
  private static final int TOO_LARGE_MAX = 10_000;
  private static final long KEEP_UP_MILLIS = 1_000;

  /** Less than an offer stands. */
  private static final long PREPARE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_000);

  private static final Duration PREPARE_POLL = Duration.ofMillis(100);
  private static final Duration BOOKS_POLL = Duration.ofMillis(50);

  /** Transactions are so far apart: fewer of them cost the brokers less than many small ones. */
  private static final long APART_MILLIS = 20;

  /** On busy brokers further, since each of them then takes longer for all. */
  private static final long APART_MILLIS_MAX = 60;

  private static final int DURATIONS_APART = 3;

  /** A topic that takes nothing now is tried again after that; its tasks wait once more. */
  private static final long REFUSED_MILLIS = 60_000;

  private static final long REST_AFTER_FAILURE_MILLIS = 200;

  /** The brokers forget offsets that nobody has committed for some days. */
  private static final long REFRESH_NANOS = TimeUnit.HOURS.toNanos(6);

  private static final long DELETE_NANOS = TimeUnit.SECONDS.toNanos(30);

  private final int shard;
  private final DelayTopics topics;
  private final Destinations destinations;
  private final Clock clock;
  private final DelayCounters counters;

  /** Whether the brokers take too little metadata for gaps; learned once for all of the process. */
  private final AtomicBoolean inOrder;

  private final @Nullable HistoryWriter history;
  private final KafkaProducer<byte[], byte[]> producer;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final DelayWheel<ConsumerRecord<byte[], byte[]>> wheel =
      new DelayWheel<>(FRONT_TASKS, FRONT_BYTES);
  private final CancelledTasks cancelled = new CancelledTasks();
  private final Deque<ConsumerRecord<byte[], byte[]>> wishes = new ArrayDeque<>();
  private final Map<TopicPartition, Integer> levels = new HashMap<>();
  private final TopicPartition wishesId;
  private final TopicPartition cancelledId;
  private final TopicPartition schedulesId;
  private final ScheduleBook schedules = new ScheduleBook();

  /** Up to where each partition was served, by what the brokers acknowledged. */
  private final Map<TopicPartition, ShardPlace> served = new HashMap<>();

  /** Tasks that their topic does not take; added to by the thread of the producer. */
  private final Set<String> tooLarge = ConcurrentHashMap.newKeySet();

  private final Map<TopicPartition, Long> deleted = new HashMap<>();
  private final Set<TopicPartition> reading = new HashSet<>();
  private long floorMillis = Long.MIN_VALUE;
  private long transactionMillis;
  private long apartMillis = APART_MILLIS;
  private long refreshedNanos;
  private long deletedNanos;
  private volatile boolean stopping;
  private volatile boolean fenced;
  private final CountDownLatch turn = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile boolean onOffer;
  private boolean prepared;
  private volatile boolean checkWanted;
  private volatile boolean busy = true;
  private volatile long turnedNanos;

  ShardServer(
      KafkaSettings kafka,
      int shard,
      DelayTopics topics,
      Destinations destinations,
      String name,
      Clock clock,
      DelayCounters counters,
      AtomicBoolean inOrder,
      @Nullable HistoryWriter history) {
    this.inOrder = inOrder;
    this.shard = shard;
    this.topics = topics;
    this.destinations = destinations;
    this.clock = clock;
    this.counters = counters;
    this.history = history;
    this.turnedNanos = clock.nanos();
    this.cancelledId = new TopicPartition(topics.cancelled(), shard);
    this.schedulesId = new TopicPartition(topics.schedules(), shard);
    this.wishesId = new TopicPartition(topics.cancelRequests(), shard);
    for (int i = 0; i < DelayLevels.count(); i++) {
      levels.put(new TopicPartition(topics.level(i), shard), i);
    }
    String clientId = "sluice-delay-" + shard + "-" + name;
    this.producer = DelayClients.shardProducer(kafka, topics.transactionalId(shard), clientId);
    this.consumer = DelayClients.shardConsumer(kafka, topics.group(), clientId);
  }

  @Override
  public void run() {
    try {
      awaitTurn();
      if (inOrder.get()) {
        wheel.keepOrder();
      }
      if (onOffer) {
        prepare();
      }
      long begun = clock.nanos();
      producer.initTransactions(); // ends what a predecessor has left open, and the predecessor
      long fencedNanos = clock.nanos() - begun;
      restore();
      LOG.info(
          "Serving delayed tasks, shard {}; taking it took {} ms, {} of them to fence others",
          shard,
          TimeUnit.NANOSECONDS.toMillis(clock.nanos() - begun),
          TimeUnit.NANOSECONDS.toMillis(fencedNanos));
      while (!stopping) {
        turnedNanos = clock.nanos();
        read();
        serve();
      }
    } catch (ProducerFencedException | InvalidProducerEpochException e) {
      fenced = true;
      LOG.info("Another worker serves the delayed tasks of shard {} now", shard);
    } catch (WakeupException e) {
      // Stopped.
    } catch (RuntimeException e) { // whatever it is: another try begins from what is committed
      if (!stopping) {
        LOG.warn("Delayed tasks of shard {} are not served from here: {}", shard, e.toString());
      }
    } finally {
      ended.countDown();
      producer.close(Duration.ZERO); // what is open is aborted by whoever serves next
      consumer.close(CloseOptions.timeout(Duration.ofMillis(200)));
    }
  }

  // ---- the beginning ----

  /**
   * Until it is its turn, it does what takes long the first time, and keeps up with what was
   * cancelled: tasks wait for it only while it fences and asks how far they were served.
   */
  private void awaitTurn() {
    try {
      consumer.committed(levels.keySet(), TIMEOUT);
      producer.partitionsFor(topics.level(0));
      List<TopicPartition> books = List.of(cancelledId, schedulesId);
      consumer.assign(books);
      consumer.seekToBeginning(books);
      while (!turn.await(KEEP_UP_MILLIS, TimeUnit.MILLISECONDS)) {
        absorb(consumer.poll(Duration.ZERO));
      }
    } catch (InterruptedException e) {
      stopping = true;
      Thread.currentThread().interrupt();
    }
    if (stopping) {
      throw new WakeupException();
    }
    turnedNanos = clock.nanos();
  }

  /**
   * Reads the front of what somebody else serves still: once it is taken, it is here. Only where it
   * is offered, because all who stand by would otherwise read all that is delayed.
   */
  private void prepare() {
    Set<TopicPartition> assigned = new HashSet<>(partitions());
    assigned.addAll(List.of(cancelledId, schedulesId));
    consumer.assign(assigned);
    reading.addAll(partitions());
    committed().forEach((id, from) -> consumer.seek(id, from.offset()));
    prepared = true;
    long until = clock.nanos() + PREPARE_NANOS;
    boolean more = true;
    while (more && !stopping && clock.nanos() - until < 0) {
      turnedNanos = clock.nanos();
      select();
      ConsumerRecords<byte[], byte[]> records = consumer.poll(PREPARE_POLL);
      absorb(records);
      more = !records.isEmpty();
    }
  }

  private void restore() {
    // Both to their ends: what is in them decides what is fired and what is not to come out.
    for (Map.Entry<TopicPartition, Long> end :
        consumer.endOffsets(List.of(cancelledId, schedulesId), TIMEOUT).entrySet()) {
      while (!stopping && consumer.position(end.getKey(), TIMEOUT) < end.getValue()) {
        if (prepared) {
          select();
        }
        absorb(consumer.poll(BOOKS_POLL));
      }
    }
    Set<TopicPartition> assigned = new HashSet<>(partitions());
    assigned.add(schedulesId); // is read on from where it was read
    consumer.assign(assigned);
    reading.addAll(prepared ? Set.of() : partitions());
    for (Map.Entry<TopicPartition, OffsetAndMetadata> each : committed().entrySet()) {
      TopicPartition id = each.getKey();
      long from = each.getValue().offset();
      floorMillis = Math.max(floorMillis, ShardPlace.millis(each.getValue().metadata()));
      ShardPlace place = ShardPlace.read(each.getValue());
      served.put(id, place);
      resume(id, place);
      if (!prepared || consumer.position(id, TIMEOUT) < from) {
        consumer.seek(id, from);
      }
    }
    checkWanted = true; // the first transaction also shows whether this one was fenced meanwhile
    refreshedNanos = clock.nanos();
    deletedNanos = clock.nanos();
  }

  private Set<TopicPartition> partitions() {
    Set<TopicPartition> all = new HashSet<>(levels.keySet());
    all.add(wishesId);
    return all;
  }

  /** Up to where each partition was served; of what never was, its beginning. */
  private Map<TopicPartition, OffsetAndMetadata> committed() {
    Set<TopicPartition> all = partitions();
    Map<TopicPartition, OffsetAndMetadata> known = new HashMap<>(consumer.committed(all, TIMEOUT));
    known.values().removeIf(Objects::isNull);
    all.removeAll(known.keySet());
    if (!all.isEmpty()) {
      consumer
          .beginningOffsets(all, TIMEOUT)
          .forEach((id, first) -> known.put(id, new OffsetAndMetadata(first)));
    }
    return known;
  }

  private void resume(TopicPartition id, ShardPlace place) {
    Integer level = levels.get(id);
    if (level == null) {
      wishes.removeIf(wish -> wish.offset() < place.offset());
    } else {
      wheel.resume(level, place.offset(), place.done());
    }
  }

  // ---- reading ----

  /** Time never runs backwards for a shard, whichever clocks its servers have. */
  private long now() {
    floorMillis = Math.max(floorMillis, clock.epochMillis());
    return floorMillis;
  }

  private void read() {
    long now = now();
    long next = wishes.isEmpty() ? Math.min(wheel.nextMillis(now), schedules.nextMillis()) : now;
    busy = next - now < TimeUnit.MINUTES.toMillis(1) || cancelled.size() > 0;
    long apart = transactionMillis + apartMillis - now;
    long wait = Math.min(POLL_MILLIS_MAX, Math.max(next - now, apart));
    select(); // only now: what is held has left room in front
    absorb(consumer.poll(Duration.ofMillis(Math.max(0, wait))));
  }

  /** Puts each record where it belongs. */
  private void absorb(ConsumerRecords<byte[], byte[]> records) {
    for (ConsumerRecord<byte[], byte[]> record : records) {
      TopicPartition id = new TopicPartition(record.topic(), record.partition());
      Integer level = levels.get(id);
      if (level != null) {
        long due = TaskCodec.notBeforeMillis(record.headers());
        int bytes = DelayRecords.bytes(record);
        wheel.add(new Entry<>(level, record.offset(), record.timestamp(), due, bytes, record));
      } else if (id.equals(wishesId)) {
        wishes.addLast(record);
      } else if (id.equals(schedulesId)) {
        schedules.read(record.key(), record.value());
      } else {
        readCancelled(record);
      }
    }
  }

  private void readCancelled(ConsumerRecord<byte[], byte[]> record) {
    CancelCodec.Cancel read = CancelCodec.readCancel(record.value());
    if (record.key() != null && (record.value() == null || read != null)) {
      boolean holds = read != null && read.outcome() == Cancellation.CANCELLED;
      cancelled.read(
          new String(record.key(), UTF_8), holds && read != null ? read.dueMillis() : null);
    }
  }

  /** Reads what there is room for. Where a partition is left out, its position is kept. */
  private void select() {
    Set<TopicPartition> wanted = new HashSet<>();
    levels.forEach(
        (id, level) -> {
          if (wheel.wants(level, reading.contains(id))) {
            wanted.add(id);
          }
        });
    if (wishes.size() < BATCH_MAX) {
      wanted.add(wishesId);
    }
    if (wanted.equals(reading)) {
      return;
    }
    for (TopicPartition id : reading) {
      if (!wanted.contains(id)) {
        consumer.pause(List.of(id));
      }
    }
    for (TopicPartition id : wanted) {
      if (!reading.contains(id)) {
        consumer.resume(List.of(id));
      }
    }
    reading.clear();
    reading.addAll(wanted);
  }

  // ---- serving ----

  private void serve() {
    long now = now();
    if (now - transactionMillis < apartMillis) {
      return;
    }
    List<Entry<ConsumerRecord<byte[], byte[]>>> due = wheel.take(now, BATCH_MAX);
    List<ConsumerRecord<byte[], byte[]>> asked = new ArrayList<>();
    while (!wishes.isEmpty() && asked.size() < BATCH_MAX) {
      asked.add(wishes.removeFirst());
    }
    List<ScheduleBook.Firing> firings = new ArrayList<>();
    for (ScheduleBook.Firing firing : schedules.due(now)) {
      if (destinations.takes(firing.schedule().topic(), now)) {
        firings.add(firing);
      } else { // later, and then as its policy has it
        schedules.postpone(firing.schedule().name(), now + REFUSED_MILLIS);
      }
    }
    boolean refresh = checkWanted || clock.nanos() - refreshedNanos > REFRESH_NANOS;
    if (due.isEmpty() && asked.isEmpty() && firings.isEmpty() && !refresh) {
      deleteServed();
      return;
    }
    if (refresh) {
      checkWanted = false;
      refreshedNanos = clock.nanos();
    }
    try {
      transaction(now, due, asked, firings, refresh ? served.keySet() : List.of());
    } catch (ProducerFencedException | InvalidProducerEpochException e) {
      throw e;
    } catch (KafkaException e) {
      counters.failed.incrementAndGet();
      LOG.warn("Delayed tasks of shard {} wait: {}", shard, e.toString());
      if (metadataIsTooLarge(e)) {
        LOG.warn(
            "The brokers take too little commit metadata (offset.metadata.max.bytes) for delayed"
                + " tasks to pass others: from now on they may be up to {} ms later",
            DelayLevels.millis(0));
        inOrder.set(true);
      }
      again();
    }
  }

  /** In a transaction the producer knows no class for that, only what the brokers say. */
  private static boolean metadataIsTooLarge(Throwable failure) {
    for (Throwable at = failure; at != null; at = at.getCause()) {
      if (at instanceof OffsetMetadataTooLarge
          || String.valueOf(at.getMessage()).contains(Errors.OFFSET_METADATA_TOO_LARGE.message())) {
        return true;
      }
    }
    return false;
  }

  /** Aborts what is open, and reads again what was not served. */
  private void again() {
    producer.abortTransaction();
    wheel.clear();
    wishes.clear();
    served.forEach(
        (id, place) -> {
          resume(id, place);
          consumer.seek(id, place.offset());
        });
    transactionMillis = now() + REST_AFTER_FAILURE_MILLIS;
  }

  private void transaction(
      long now,
      List<Entry<ConsumerRecord<byte[], byte[]>>> due,
      List<ConsumerRecord<byte[], byte[]>> asked,
      List<ScheduleBook.Firing> firings,
      Collection<TopicPartition> alsoCommit) {
    long begun = clock.nanos();
    Batch batch = new Batch(now);
    producer.beginTransaction();
    due.forEach(batch::move);
    asked.forEach(batch::answer);
    firings.forEach(batch::fire);
    if (!alsoCommit.isEmpty()) {
      cancelled.forgotten(now).forEach(batch::forget);
    }
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (TopicPartition id : alsoCommit) {
      offsets.put(id, served.getOrDefault(id, ShardPlace.BEGINNING).write(now));
    }
    batch.places().forEach((id, place) -> offsets.put(id, place.write(now)));
    producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
    producer.commitTransaction();
    batch.committed();
    transactionMillis = now;
    long took = TimeUnit.NANOSECONDS.toMillis(clock.nanos() - begun);
    apartMillis = Math.max(APART_MILLIS, Math.min(APART_MILLIS_MAX, DURATIONS_APART * took));
  }

  /** What one transaction does; it counts once that is committed. */
  private final class Batch {
    private final long now;
    private final Map<TopicPartition, ShardPlace> places = new HashMap<>();
    private final Set<TopicPartition> left = new HashSet<>();
    private final Map<String, @Nullable Long> changes = new HashMap<>();
    private final Map<String, Long> fired = new HashMap<>();
    private long delivered;
    private long moved;
    private long dropped;
    private long lateness;

    Batch(long now) {
      this.now = now;
    }

    /** Up to where each partition is served with this batch. */
    Map<TopicPartition, ShardPlace> places() {
      for (TopicPartition id : left) {
        LedgerSnapshot level = wheel.served(Objects.requireNonNull(levels.get(id)));
        places.put(id, new ShardPlace(level.position(), level.metadata()));
      }
      return places;
    }

    void move(Entry<ConsumerRecord<byte[], byte[]>> entry) {
      ConsumerRecord<byte[], byte[]> record = entry.item();
      left.add(new TopicPartition(record.topic(), record.partition()));
      if (entry.dueMillis() > now) {
        moved++;
        send(DelayRecords.next(record, DelayLevels.of(entry.dueMillis() - now), topics), null, "");
        return;
      }
      String id = TaskCodec.id(record);
      String topic = DelayRecords.deliverTo(record);
      if (cancelled.contains(id) && !changes.containsKey(id)) {
        drop(record, id, String.valueOf(topic));
      } else if (topic == null) {
        LOG.error(
            "The record {}/{}/{} does not say where it is to come out: it is no delayed task, and"
                + " is left behind",
            record.topic(),
            record.partition(),
            record.offset());
      } else if (!tooLarge.contains(id) && destinations.takes(topic, now)) {
        delivered++;
        lateness += Math.max(0, now - Math.max(entry.dueMillis(), 0));
        send(DelayRecords.leave(record, topic, destinations.partitions(topic)), topic, id);
      } else {
        // Others must not wait for it: it waits once more, by itself.
        tooLarge.remove(id);
        ProducerRecord<byte[], byte[]> again =
            DelayRecords.next(record, DelayLevels.of(REFUSED_MILLIS), topics);
        again.headers().remove(TaskHeaders.NOT_BEFORE);
        again
            .headers()
            .add(TaskCodec.header(TaskHeaders.NOT_BEFORE, Long.toString(now + REFUSED_MILLIS)));
        moved++;
        send(again, null, "");
      }
    }

    private void drop(ConsumerRecord<byte[], byte[]> record, String id, String topic) {
      dropped++;
      forget(id);
      String counts = TaskCodec.text(record.headers(), TaskHeaders.BATCH);
      if (counts != null) {
        send(new BatchCount(0, 0, 0, 1, false).toRecord(topics.batches(), counts), null, "");
      }
      HistoryWriter writer = history;
      if (writer != null) {
        writer.task(HistoryEvent.CANCELLED, id, record.key(), topic, -1, -1, 0, null);
      }
    }

    void forget(String id) {
      changes.put(id, null);
      send(new ProducerRecord<>(topics.cancelled(), shard, id.getBytes(UTF_8), null), null, "");
    }

    /** The same time decides what is due, and what is too late to cancel. */
    void answer(ConsumerRecord<byte[], byte[]> wish) {
      places.put(wishesId, new ShardPlace(wish.offset() + 1, ""));
      CancelCodec.Cancel read = CancelCodec.readCancel(wish.value());
      if (read == null || wish.key() == null) {
        LOG.warn("The record {}/{} asks for nothing that is understood", wishesId, wish.offset());
        return;
      }
      String id = new String(wish.key(), UTF_8);
      boolean known = changes.containsKey(id) ? changes.get(id) != null : cancelled.contains(id);
      Cancellation outcome =
          read.dueMillis() <= now
              ? Cancellation.TOO_LATE
              : known || !cancelled.full() ? Cancellation.CANCELLED : Cancellation.REFUSED;
      byte[] key = id.getBytes(UTF_8);
      byte[] answer = CancelCodec.write(new CancelCodec.Cancel(read.dueMillis(), outcome));
      send(new ProducerRecord<>(topics.cancelled(), shard, key, answer), null, "");
      if (outcome == Cancellation.CANCELLED) {
        changes.put(id, read.dueMillis());
      } else if (!known) {
        send(new ProducerRecord<>(topics.cancelled(), shard, key, null), null, "");
      }
    }

    private void send(
        ProducerRecord<byte[], byte[]> record, @Nullable String destination, String id) {
      try {
        var ignored =
            producer.send(
                record,
                (metadata, failure) -> {
                  if (failure != null && destination != null) {
                    refused(destination, id, failure);
                  }
                });
      } catch (KafkaException e) {
        if (destination != null) {
          refused(destination, id, e);
        }
        throw e;
      }
    }

    /** The transaction fails with it; the next one goes without what cannot be done. */
    private void refused(String destination, String id, Exception failure) {
      if (failure instanceof RecordTooLargeException) {
        LOG.error(
            "Task {} is larger than topic {} takes (max.message.bytes), and waits another minute",
            id,
            destination);
        if (tooLarge.size() < TOO_LARGE_MAX) {
          tooLarge.add(id);
        }
      } else if (Destinations.concernsTopic(failure)) {
        destinations.refuse(destination, failure, now + REFUSED_MILLIS);
      }
    }

    /** The tasks of a schedule that are due, and that they were fired. */
    void fire(ScheduleBook.Firing firing) {
      Schedule schedule = firing.schedule();
      byte[] key = schedule.key() == null ? null : schedule.key().getBytes(UTF_8);
      for (long due : firing.due().fire()) {
        Task<byte[]> task =
            Task.of(schedule.queue(), schedule.type(), schedule.payload().getBytes(UTF_8))
                .id(schedule.taskId(due))
                .key(key);
        send(
            TaskCodec.toRecord(task, schedule.topic(), "application/json", SOURCE, now),
            schedule.topic(),
            schedule.taskId(due));
      }
      byte[] settled = Schedule.writeFired(firing.due().lastMillis());
      send(
          new ProducerRecord<>(
              topics.schedules(), shard, Schedule.firedKey(schedule.name()), settled),
          null,
          "");
      fired.put(schedule.name(), firing.due().lastMillis());
    }

    void committed() {
      fired.forEach(schedules::fired);
      served.putAll(places);
      changes.forEach(cancelled::read);
      counters.delivered.addAndGet(delivered);
      counters.moved.addAndGet(moved);
      counters.cancelled.addAndGet(dropped);
      counters.latenessMillis.addAndGet(lateness);
    }
  }

  private void deleteServed() {
    if (clock.nanos() - deletedNanos < DELETE_NANOS) {
      return;
    }
    deletedNanos = clock.nanos();
    Map<TopicPartition, Long> before = new HashMap<>();
    served.forEach(
        (id, place) -> {
          if (place.offset() > deleted.getOrDefault(id, 0L)) {
            before.put(id, place.offset());
          }
        });
    deleted.putAll(before);
    destinations.delete(before);
  }

  // ---- from outside ----

  /**
   * Takes the shard from whoever has it, and serves it.
   *
   * @param whileServed whether the one before serves it until then, so that there is time to
   *     prepare
   */
  void take(boolean whileServed) {
    onOffer = whileServed;
    turnedNanos = clock.nanos();
    turn.countDown();
  }

  /** Ends it after its present transaction. */
  void stop() {
    stopping = true;
    turn.countDown();
    consumer.wakeup();
  }

  /** Lets it find out soon whether another one has fenced it. */
  void check() {
    checkWanted = true;
  }

  boolean fenced() {
    return fenced;
  }

  boolean ended() {
    return ended.getCount() == 0;
  }

  /** Waits for its end, until then at most. */
  void awaitEnd(long deadlineNanos) {
    try {
      if (!ended.await(Math.max(0, deadlineNanos - clock.nanos()), TimeUnit.NANOSECONDS)) {
        LOG.debug("The server of shard {} is still ending", shard);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether something is due within a minute or so. */
  boolean busy() {
    return busy;
  }

  /** When it was last seen at work, by the monotonic clock. */
  long turnedNanos() {
    return turnedNanos;
  }
}
