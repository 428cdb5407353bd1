// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import dev.sluice.SluiceException;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.kafka.Topics;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.time.Clock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The dead letters of one queue: those that are in its dead-letter topic and were neither run again
 * nor purged. For one thread.
 *
 * <p>A letter that is run again goes into its queue in one transaction with the note that it is
 * handled. So it runs once more, however often the tool is killed and started again; and the tool
 * that was started last ends one that is still at it. Letters of one key keep their order, since
 * they are in one partition and are moved in its order.
 */
public final class DeadLetters implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(15);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** The most letters of one transaction. Workers see none of them before its end. */
  private static final int BATCH_MAX = 500;

  /** With a rate, so many transactions a second. */
  private static final int BATCHES_PER_SECOND = 20;

  /**
   * So much of what it was late is made up for with a rate: a thread that wakes up late, but not
   * brokers that stood still, which would be met by all that was due meanwhile.
   */
  private static final long LATE_NANOS_MAX = 10_000_000;

  /** After a kill the brokers end its transaction then; until that, the queue's readers wait. */
  private static final int TRANSACTION_MILLIS = 10_000;

  private static final int LEDGER_PARTITIONS = 8;
  private static final int SAFE_REPLICAS = 3;

  /** What is not of the task, but of its death; and its deadline, which would end it at once. */
  private static final List<String> OF_DEATH =
      List.of(
          TaskHeaders.ATTEMPT,
          TaskHeaders.DEADLINE,
          TaskHeaders.ERROR_TYPE,
          TaskHeaders.ERROR_MESSAGE,
          TaskHeaders.ERROR_STACK,
          TaskHeaders.ERROR_ATTEMPTS,
          TaskHeaders.ERROR_FIRST_AT,
          TaskHeaders.ERROR_LAST_AT,
          TaskHeaders.ERROR_WORKER);

  private final KafkaSettings kafka;
  private final String queueTopic;
  private final String topic;
  private final FleetDefinition fleet;
  private final Clock clock;
  private final Admin admin;
  private final String topicId;
  private final List<TopicPartition> partitions;

  /**
   * What became of letters.
   *
   * @param handled were run again, or purged
   * @param withoutPayload were left where they are: their payload was too large for a dead letter,
   *     and the record that failed is no longer in its topic
   */
  public record Moved(long handled, long withoutPayload) {}

  private DeadLetters(
      KafkaSettings kafka,
      String queueTopic,
      FleetDefinition fleet,
      Clock clock,
      Admin admin,
      TopicDescription description) {
    this.kafka = kafka;
    this.queueTopic = queueTopic;
    this.topic = description.name();
    this.fleet = fleet;
    this.clock = clock;
    this.admin = admin;
    this.topicId = description.topicId().toString();
    this.partitions =
        description.partitions().stream()
            .map(info -> new TopicPartition(description.name(), info.partition()))
            .toList();
  }

  /**
   * The dead letters of a queue.
   *
   * @param queue whose tasks they were
   * @param fleet names the topic where it is kept which of them are handled
   * @return empty if there is no such topic of dead letters: then there are none
   * @throws dev.sluice.kafka.BrokerUnavailableException if no broker answers
   */
  public static Optional<DeadLetters> of(
      KafkaSettings kafka, QueueDefinition queue, FleetDefinition fleet, Clock clock) {
    String topic = queue.deadLetterTopic();
    try (Topics topics = new Topics(kafka, TIMEOUT)) {
      if (topics.partitions(topic).isEmpty()) {
        return Optional.empty();
      }
    }
    Map<String, Object> properties = kafka.admin();
    properties.putIfAbsent("request.timeout.ms", "5000");
    properties.putIfAbsent("default.api.timeout.ms", Long.toString(TIMEOUT.toMillis()));
    Admin admin = Admin.create(properties);
    try {
      TopicDescription description =
          admin
              .describeTopics(List.of(topic))
              .allTopicNames()
              .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
              .get(topic);
      if (description == null) {
        throw new IllegalStateException("The brokers did not answer for what they were asked");
      }
      return Optional.of(new DeadLetters(kafka, queue.topic(), fleet, clock, admin, description));
    } catch (ExecutionException | TimeoutException e) {
      admin.close(Duration.ofSeconds(1));
      throw new SluiceException("Topic " + topic + " cannot be described: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      admin.close(Duration.ofSeconds(1));
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while describing " + topic, e);
    }
  }

  // ---- looking ----

  /**
   * Shows the letters that are not handled to {@code visitor}, those of a partition in their order,
   * until it returns false.
   *
   * @throws SluiceException if the brokers stop answering
   */
  public void forEach(Predicate<DeadLetter> visitor) {
    HandledLetters handled = handled();
    read(
        record ->
            handled.contains(record.partition(), record.offset())
                || visitor.test(new DeadLetter(record)));
  }

  private void read(Predicate<ConsumerRecord<byte[], byte[]>> visitor) {
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      read(consumer, partitions, visitor);
    }
  }

  /** From the beginning to the present end, or until the visitor returns false. */
  private void read(
      KafkaConsumer<byte[], byte[]> consumer,
      List<TopicPartition> of,
      Predicate<ConsumerRecord<byte[], byte[]>> visitor) {
    consumer.assign(of);
    consumer.seekToBeginning(of);
    Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(of, TIMEOUT));
    Map<TopicPartition, Long> rest = new HashMap<>(ends);
    rest.entrySet().removeIf(end -> consumer.position(end.getKey(), TIMEOUT) >= end.getValue());
    long movedNanos = clock.nanos();
    while (!rest.isEmpty()) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        movedNanos = clock.nanos();
        TopicPartition id = new TopicPartition(record.topic(), record.partition());
        if (record.offset() < ends.getOrDefault(id, 0L) && !visitor.test(record)) {
          return;
        }
      }
      rest.entrySet().removeIf(end -> consumer.position(end.getKey(), TIMEOUT) >= end.getValue());
      if (clock.nanos() - movedNanos > STALL_NANOS) {
        throw new SluiceException(
            "Nothing of " + rest.keySet() + " could be read for 30 s; are its brokers up?");
      }
    }
  }

  private KafkaConsumer<byte[], byte[]> consumer() {
    Map<String, Object> properties = kafka.admin();
    properties.put("key.deserializer", ByteArrayDeserializer.class);
    properties.put("value.deserializer", ByteArrayDeserializer.class);
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "earliest");
    properties.put("isolation.level", "read_committed");
    properties.put("fetch.max.wait.ms", "50");
    properties.put("fetch.max.bytes", Integer.toString(8 << 20));
    return new KafkaConsumer<>(properties);
  }

  private HandledLetters handled() {
    HandledLetters handled = new HandledLetters(topic, topicId);
    int ledgerPartitions;
    try (Topics topics = new Topics(kafka, TIMEOUT)) {
      ledgerPartitions = topics.partitions(fleet.ledgerTopic()).orElse(0);
    }
    List<TopicPartition> ledger = new ArrayList<>();
    for (int i = 0; i < ledgerPartitions; i++) {
      ledger.add(new TopicPartition(fleet.ledgerTopic(), i));
    }
    if (!ledger.isEmpty()) {
      try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
        read(
            consumer,
            ledger,
            record -> {
              handled.read(record.key(), record.value());
              return true;
            });
      }
    }
    return handled;
  }

  // ---- moving ----

  /**
   * Runs letters again: each goes to its queue as it was before it died, with its first attempt
   * ahead of it.
   *
   * @param filter which ones
   * @param rate at most so many a second; 0 for as fast as it goes
   * @param most so many at most
   * @param progress told how many are in the queue after each transaction
   * @throws SluiceException if it could not go on; what was counted as done is done, and nothing
   *     runs twice when it is called again
   */
  public Moved redrive(DeadLetterFilter filter, double rate, long most, LongConsumer progress) {
    try (Topics topics = new Topics(kafka, TIMEOUT)) {
      if (topics.partitions(queueTopic).isEmpty()) {
        throw new SluiceException(
            "There is no topic " + queueTopic + " to run the dead letters of " + topic + " in");
      }
    }
    return move(filter, true, rate, most, progress);
  }

  /**
   * Forgets letters. Those that nothing is before are deleted from the topic as well, where this
   * principal may do that; the others leave it with its retention.
   */
  public Moved purge(DeadLetterFilter filter, long most, LongConsumer progress) {
    Moved moved = move(filter, false, 0, most, progress);
    deleteHandled();
    return moved;
  }

  private Moved move(
      DeadLetterFilter filter, boolean again, double rate, long most, LongConsumer progress) {
    ensureLedger();
    try (KafkaProducer<byte[], byte[]> producer = producer();
        KafkaConsumer<byte[], byte[]> consumer = consumer();
        Origins origins = new Origins(this::consumer)) {
      // Ends what a killed one has left open, and one that is still at it: then it can be read what
      // they have done.
      producer.initTransactions();
      Move move = new Move(producer, handled(), again ? origins : null, rate, progress);
      int batch =
          rate > 0 ? (int) Math.max(1, Math.min(BATCH_MAX, rate / BATCHES_PER_SECOND)) : BATCH_MAX;
      read(
          consumer,
          partitions,
          record -> {
            if (!move.handled.contains(record.partition(), record.offset())
                && filter.test(new DeadLetter(record))) {
              move.add(new DeadLetter(record));
            }
            if (move.waiting() >= Math.min(batch, most - move.moved)) {
              move.flush();
            }
            return move.moved < most;
          });
      move.flush();
      return new Moved(move.moved, move.withoutPayload);
    } catch (ProducerFencedException | InvalidProducerEpochException e) {
      throw new SluiceException(
          "Another command for the dead letters of "
              + topic
              + " was started and has ended this one. What was done is kept; run it again when the"
              + " other one is through.",
          e);
    } catch (KafkaException e) {
      throw new SluiceException(
          "The dead letters of "
              + topic
              + " could not be handled: "
              + e.getMessage()
              + ". What was done is kept; run it again.",
          e);
    }
  }

  /** Where it came from, as far as that is a topic of the queue: each of its priorities has one. */
  private String topicOf(DeadLetter letter) {
    String origin =
        letter.origin().map(o -> o.substring(0, Math.max(0, o.indexOf('/')))).orElse("");
    for (int level = 1; level < PrioritiesDefinition.LEVELS_MAX; level++) {
      if (origin.equals(PrioritiesDefinition.topic(queueTopic, level))) {
        return origin;
      }
    }
    return queueTopic;
  }

  private void ensureLedger() {
    int replicas = fleet.replicationFactor();
    try (Topics topics = new Topics(kafka, TIMEOUT)) {
      if (replicas == 0) {
        replicas = Math.min(SAFE_REPLICAS, topics.brokers());
      }
      topics.ensure(
          Map.of(fleet.ledgerTopic(), LEDGER_PARTITIONS),
          (short) replicas,
          Map.of(
              "cleanup.policy",
              "compact",
              "min.insync.replicas",
              replicas >= SAFE_REPLICAS ? "2" : "1"));
    }
  }

  private KafkaProducer<byte[], byte[]> producer() {
    Map<String, Object> properties = kafka.producer();
    properties.put("transactional.id", "sluice-dead-" + topic);
    properties.put("transaction.timeout.ms", Integer.toString(TRANSACTION_MILLIS));
    properties.put("max.block.ms", Long.toString(TIMEOUT.toMillis()));
    properties.put("linger.ms", "5");
    return new KafkaProducer<>(properties);
  }

  /** One run over the letters. */
  private final class Move {
    private final KafkaProducer<byte[], byte[]> producer;
    private final HandledLetters handled;
    private final @Nullable Origins origins;
    private final double rate;
    private final LongConsumer progress;
    private final List<ProducerRecord<byte[], byte[]>> tasks = new ArrayList<>();
    private final List<DeadLetter> letters = new ArrayList<>();
    private long turnNanos = clock.nanos();
    private long moved;
    private long withoutPayload;

    Move(
        KafkaProducer<byte[], byte[]> producer,
        HandledLetters handled,
        @Nullable Origins origins,
        double rate,
        LongConsumer progress) {
      this.producer = producer;
      this.handled = handled;
      this.origins = origins;
      this.rate = rate;
      this.progress = progress;
    }

    int waiting() {
      return letters.size();
    }

    void add(DeadLetter letter) {
      if (origins != null) {
        byte[] value = letter.record().value();
        if (value == null) {
          Origins.Found found = origins.find(letter);
          if (!found.there()) {
            withoutPayload++;
            return;
          }
          value = found.value();
        }
        tasks.add(
            new ProducerRecord<>(
                topicOf(letter), null, letter.record().key(), value, headers(letter.record())));
      }
      letters.add(letter);
    }

    /** Everything that waits, in one transaction. */
    void flush() {
      if (letters.isEmpty()) {
        return;
      }
      awaitTurn();
      producer.beginTransaction();
      // A send that fails makes the commit fail; there is nothing else to learn from its future.
      tasks.forEach(this::send);
      letters.forEach(letter -> handled.add(letter.record().partition(), letter.record().offset()));
      handled
          .changes()
          .forEach((key, value) -> send(new ProducerRecord<>(fleet.ledgerTopic(), key, value)));
      producer.commitTransaction();
      moved += letters.size();
      tasks.clear();
      letters.clear();
      progress.accept(moved);
    }

    @SuppressWarnings("FutureReturnValueIgnored")
    private void send(ProducerRecord<byte[], byte[]> record) {
      producer.send(record);
    }

    private void awaitTurn() {
      if (rate <= 0) {
        return;
      }
      long due = turnNanos + (long) (letters.size() / rate * 1e9);
      for (long wait = due - clock.nanos(); wait > 0; wait = due - clock.nanos()) {
        LockSupport.parkNanos(wait);
      }
      turnNanos = Math.max(due, clock.nanos() - LATE_NANOS_MAX);
    }
  }

  private static Headers headers(ConsumerRecord<byte[], byte[]> record) {
    Headers headers = new RecordHeaders(record.headers().toArray());
    OF_DEATH.forEach(headers::remove);
    headers.remove(TaskHeaders.BATCH); // which has counted its end already
    headers.remove(TaskHeaders.REDRIVEN);
    headers.add(TaskCodec.header(TaskHeaders.REDRIVEN, TaskCodec.origin(record)));
    return headers;
  }

  /** Deletes the beginning of each partition as far as all of it is handled. */
  private void deleteHandled() {
    HandledLetters handled = handled();
    Map<TopicPartition, RecordsToDelete> before = new HashMap<>();
    Map<Integer, Long> beginnings = new HashMap<>();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      consumer
          .endOffsets(partitions, TIMEOUT)
          .forEach((id, end) -> beginnings.put(id.partition(), end));
    }
    read(
        record -> {
          if (!handled.contains(record.partition(), record.offset())) {
            beginnings.merge(record.partition(), record.offset(), Math::min);
          }
          return true;
        });
    beginnings.forEach(
        (partition, offset) ->
            before.put(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(offset)));
    try {
      admin.deleteRecords(before).all().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      forget(handled, beginnings);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof AuthorizationException
          || cause instanceof UnknownTopicOrPartitionException) {
        LOG.info(
            "What is purged stays in {} until its retention is over: {}",
            topic,
            cause.getMessage());
      } else {
        throw new SluiceException("The records of " + topic + " cannot be deleted: " + cause, e);
      }
    } catch (TimeoutException e) {
      LOG.warn("The brokers did not delete the records of {} in time; purge again", topic);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Removes the notes on letters that are deleted; where that fails, a later purge does it. */
  private void forget(HandledLetters handled, Map<Integer, Long> beginnings) {
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      producer.initTransactions();
      producer.beginTransaction();
      for (byte[] key : handled.outdated(beginnings)) {
        var ignored = producer.send(new ProducerRecord<>(fleet.ledgerTopic(), key, null));
      }
      producer.commitTransaction();
    } catch (KafkaException e) {
      LOG.info("The notes on deleted letters of {} are kept for now: {}", topic, e.getMessage());
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ofSeconds(1));
  }
}
