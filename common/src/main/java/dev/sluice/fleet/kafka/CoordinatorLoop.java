// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.SluiceException;
import dev.sluice.fleet.Claim;
import dev.sluice.fleet.CoordinatorState;
import dev.sluice.fleet.CoordinatorState.Outgoing;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.ProtocolRule;
import dev.sluice.fleet.ReadBack;
import dev.sluice.fleet.Report;
import dev.sluice.fleet.wire.ControlCodec;
import dev.sluice.fleet.wire.ControlRecord;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The coordinator at work, for one epoch: a thread that reads reports and writes grants. It ends
 * when it is told so, or when a record of its own could not be written: then nobody knows what
 * holders will read, and whoever is elected next reads it back.
 */
final class CoordinatorLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CoordinatorLoop.class);
  private static final int ACKS_MAX = 10_000;
  private static final Duration POLL = Duration.ofMillis(10);

  /** While nobody asks for anything; a report ends a poll at once. */
  private static final Duration IDLE_POLL = Duration.ofMillis(50);

  /**
   * Where nothing is shared at all, what is left is the beat: a turn begins this long after it is
   * due.
   */
  private static final long BEAT_LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** While taking over, no fetch that finds nothing is to hold up the next one. */
  private static final int TAKE_OVER_WAIT_MILLIS = 50;

  /** From then on whatever arrives ends a fetch; longer ones would delay requests behind them. */
  private static final int WAIT_MILLIS = 500;

  /** How long after the last report or grant somebody may still be waiting. */
  private static final long BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final Duration CLOSE = Duration.ofMillis(500);
  private static final CloseOptions CLOSE_CONSUMER = CloseOptions.timeout(Duration.ofMillis(200));
  private static final long FORGET_LOOK_NANOS = TimeUnit.SECONDS.toNanos(10);

  private final KafkaSettings kafka;
  private final FleetDefinition fleet;
  private final String name;
  private final Epoch epoch;
  private final ControlTopics.Found found;
  private final Clock clock;
  private final ArrayBlockingQueue<Outgoing> acknowledged = new ArrayBlockingQueue<>(ACKS_MAX);
  private final Departed departed = new Departed();
  private final Thread thread;
  private volatile FleetSettings settings;
  private long busyNanos;
  private boolean shares = true;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> polled;
  private volatile boolean closing;
  private volatile boolean leaving;
  private volatile boolean running = true;
  private volatile boolean failed;

  CoordinatorLoop(
      KafkaSettings kafka,
      FleetDefinition fleet,
      String name,
      Epoch epoch,
      ControlTopics.Found found,
      FleetSettings settings,
      Clock clock) {
    this.kafka = kafka;
    this.fleet = fleet;
    this.name = name;
    this.epoch = epoch;
    this.found = found;
    this.settings = settings;
    this.clock = clock;
    this.thread = new Thread(this::run, "sluice-coordinator-" + name);
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  void settings(FleetSettings changed) {
    settings = changed;
  }

  boolean running() {
    return running;
  }

  private void run() {
    LOG.info("[{}] Coordinator of the fleet, epoch {}", name, epoch.counter());
    String clientId = "sluice-coordinator-" + name;
    try (KafkaProducer<byte[], byte[]> producer = ControlClients.producer(kafka, clientId, 1);
        BacklogProbe probe = new BacklogProbe(kafka, clock)) {
      try {
        coordinate(clientId, producer, probe);
      } finally {
        producer.close(CLOSE);
      }
    } catch (WakeupException e) {
      LOG.debug("[{}] Told to end", name);
    } catch (RuntimeException e) {
      LOG.warn("[{}] No longer the coordinator: {}", name, e.toString(), e);
    } finally {
      running = false;
      LOG.info("[{}] No coordinator any more, epoch {}", name, epoch.counter());
    }
  }

  private void coordinate(
      String clientId, KafkaProducer<byte[], byte[]> producer, BacklogProbe probe) {
    Map<TopicPartition, Long> past;
    CoordinatorState state;
    KafkaConsumer<byte[], byte[]> reader =
        ControlClients.consumer(kafka, clientId, TAKE_OVER_WAIT_MILLIS);
    try {
      past = ends(reader);
      state = takeOver(producer, reader, past);
    } finally {
      reader.close(CloseOptions.timeout(Duration.ZERO)); // holders wait for this process now
    }
    KafkaConsumer<byte[], byte[]> consumer = ControlClients.consumer(kafka, clientId, WAIT_MILLIS);
    try {
      consumer.assign(past.keySet());
      past.forEach(consumer::seek);
      polled = consumer;
      while (!closing && !failed) {
        turn(state, producer, consumer, probe);
      }
    } catch (WakeupException e) {
      LOG.debug("[{}] Told to end", name);
    } finally {
      polled = null;
      consumer.close(CLOSE_CONSUMER);
    }
    if (leaving && !failed) {
      handOver(state, producer);
    }
  }

  /** An orderly end: a claim for another worker, so that nobody has to miss this one first. */
  private void handOver(CoordinatorState state, KafkaProducer<byte[], byte[]> producer) {
    Claim claim = state.successor(clock.nanos()).orElse(null);
    if (claim != null) {
      LOG.info("[{}] Leaving the coordination to {}", name, claim.name());
      var ignored =
          producer.send(
              new ProducerRecord<>(
                  fleet.grantsTopic(), 0, "claim".getBytes(UTF_8), ControlCodec.write(claim)));
    }
  }

  // ---- taking over ----

  /**
   * Where the reports end. What is reported from here on is said by processes that live, many of
   * them because they see this epoch: it is not of the past, and is answered.
   */
  private Map<TopicPartition, Long> ends(KafkaConsumer<byte[], byte[]> consumer) {
    List<TopicPartition> reports = new ArrayList<>();
    for (int i = 0; i < found.reportsPartitions(); i++) {
      reports.add(new TopicPartition(fleet.reportsTopic(), i));
    }
    return consumer.endOffsets(reports);
  }

  private CoordinatorState takeOver(
      KafkaProducer<byte[], byte[]> producer,
      KafkaConsumer<byte[], byte[]> consumer,
      Map<TopicPartition, Long> past) {
    long lease = fleet.lease().toNanos();
    long begun = clock.nanos();
    busyNanos = begun;
    CoordinatorState state =
        new CoordinatorState(epoch, found.grantsPartitions(), lease, ProtocolRule.ALL, begun);
    announce(producer, lease);
    long acknowledgedNanos = clock.nanos();
    ReadBack readBack = readBack(producer, consumer, lease);
    apply(state);
    List<Report> left = remember(consumer, state, past);
    state.takeOver(readBack, acknowledgedNanos);
    left.forEach(report -> state.report(report, clock.nanos()));
    LOG.info(
        "[{}] Took over after {} ms: {} holders had shares{}",
        name,
        TimeUnit.NANOSECONDS.toMillis(clock.nanos() - begun),
        readBack.shares().size(),
        state.open() ? "" : "; waiting out what an earlier log may have granted");
    return state;
  }

  /** The first record in each partition ends all earlier epochs there. */
  private void announce(KafkaProducer<byte[], byte[]> producer, long lease) {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int i = 0; i < found.grantsPartitions(); i++) {
      GrantBatch batch = new GrantBatch(epoch, clock.nanos(), lease, 0, false, List.of());
      sent.add(producer.send(record(i, batch)));
    }
    try {
      for (Future<RecordMetadata> each : sent) {
        RecordMetadata ignored = each.get(5, TimeUnit.SECONDS);
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new SluiceException("The epoch could not be announced: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SluiceException("Interrupted while announcing the epoch", e);
    }
  }

  private ProducerRecord<byte[], byte[]> record(int partition, GrantBatch batch) {
    return new ProducerRecord<>(
        fleet.grantsTopic(), partition, "grants".getBytes(UTF_8), ControlCodec.write(batch));
  }

  private ReadBack readBack(
      KafkaProducer<byte[], byte[]> producer, KafkaConsumer<byte[], byte[]> consumer, long lease) {
    Map<TopicPartition, ReadBack> open = new HashMap<>();
    for (int i = 0; i < found.grantsPartitions(); i++) {
      open.put(new TopicPartition(fleet.grantsTopic(), i), new ReadBack(epoch, ProtocolRule.ALL));
    }
    consumer.assign(open.keySet());
    consumer.seekToBeginning(open.keySet());
    ReadBack all = new ReadBack(epoch, ProtocolRule.ALL);
    long begun = clock.nanos();
    long beaten = begun;
    while (!open.isEmpty()) {
      if (closing) {
        throw new WakeupException();
      }
      if (failed || clock.nanos() - begun > START_NANOS) {
        throw new SluiceException(
            "The grants could not be read back within 10 s; partitions without an own record: "
                + open.keySet());
      }
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        TopicPartition id = new TopicPartition(record.topic(), record.partition());
        ReadBack present = open.get(id);
        if (present != null
            && record.value() != null
            && ControlCodec.read(record.value()) instanceof ControlRecord.OfGrants grants
            && grants.batch().epoch().topicId().equals(epoch.topicId())
            && present.read(grants.batch())) {
          all.add(present);
          open.remove(id);
          consumer.pause(List.of(id));
        }
      }
      if (clock.nanos() - beaten > CoordinatorState.BEAT_NANOS) {
        beaten = clock.nanos();
        for (int i = 0; i < found.grantsPartitions(); i++) {
          GrantBatch beat = new GrantBatch(epoch, beaten, lease, 0, false, List.of());
          send(producer, new Outgoing(i, beat));
        }
      }
    }
    return all;
  }

  /**
   * What was in the reports topic before may be of processes that are gone. Returns the last words
   * of those that said that they end.
   */
  private List<Report> remember(
      KafkaConsumer<byte[], byte[]> consumer,
      CoordinatorState state,
      Map<TopicPartition, Long> past) {
    consumer.assign(past.keySet());
    consumer.seekToBeginning(past.keySet());
    Map<TopicPartition, Long> ends = new HashMap<>(past);
    Map<String, Report> last = new HashMap<>();
    Map<String, Report> left = new HashMap<>();
    long begun = clock.nanos();
    while (!ends.isEmpty() && clock.nanos() - begun < START_NANOS && !closing) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        Report report = report(record);
        if (report != null && !report.leaving()) {
          last.put(report.incarnation(), report);
        } else if (report != null) {
          last.remove(report.incarnation());
          left.put(report.incarnation(), report);
        }
      }
      ends.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
    }
    long now = clock.nanos();
    last.values().forEach(report -> state.remember(report, now));
    last.values().forEach(report -> departed.seen(report.incarnation(), now));
    left.keySet().forEach(incarnation -> departed.seen(incarnation, now - Departed.KEEP_NANOS));
    return List.copyOf(left.values());
  }

  private static @Nullable Report report(ConsumerRecord<byte[], byte[]> record) {
    return record.value() != null
            && ControlCodec.read(record.value()) instanceof ControlRecord.OfReport read
        ? read.report()
        : null;
  }

  // ---- at work ----

  private void turn(
      CoordinatorState state,
      KafkaProducer<byte[], byte[]> producer,
      KafkaConsumer<byte[], byte[]> consumer,
      BacklogProbe probe) {
    Duration poll = IDLE_POLL;
    if (!shares) {
      poll = Duration.ofNanos(state.untilBeatNanos(clock.nanos()) + BEAT_LATE_NANOS);
    } else if (clock.nanos() - busyNanos < BUSY_NANOS) {
      poll = POLL;
    }
    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(poll)) {
      Report report = report(record);
      if (report != null) {
        long now = clock.nanos();
        busyNanos = now;
        state.report(report, now);
        departed.seen(report.incarnation(), report.leaving() ? now - Departed.KEEP_NANOS : now);
      }
    }
    List<Outgoing> done = new ArrayList<>();
    acknowledged.drainTo(done);
    long now = clock.nanos();
    done.forEach(outgoing -> state.appended(outgoing, now));
    apply(state);
    probe.turn(state, settings, now);
    for (Outgoing outgoing : state.tick(now)) {
      if (!outgoing.batch().grants().isEmpty()) {
        busyNanos = now;
      }
      send(producer, outgoing);
    }
    if (departed.due(FORGET_LOOK_NANOS, now)) {
      for (String gone : departed.take(now)) {
        tombstone(producer, gone);
      }
    }
  }

  private void apply(CoordinatorState state) {
    FleetSettings present = settings;
    long millis = clock.epochMillis();
    state.operatorLimits(present.limits(millis));
    state.capacities(present.credits(millis));
    shares = state.shares();
  }

  private void send(KafkaProducer<byte[], byte[]> producer, Outgoing outgoing) {
    var ignored =
        producer.send(
            record(outgoing.partition(), outgoing.batch()),
            (metadata, failure) -> {
              if (failure != null || !acknowledged.offer(outgoing)) {
                if (!closing && !failed) { // once: all that wait behind it fail as well
                  LOG.warn("[{}] A grant could not be written; stepping down", name, failure);
                }
                failed = true;
              }
            });
  }

  private void tombstone(KafkaProducer<byte[], byte[]> producer, String incarnation) {
    int partition = Math.floorMod(incarnation.hashCode(), found.reportsPartitions());
    var ignored =
        producer.send(
            new ProducerRecord<>(
                fleet.reportsTopic(), partition, incarnation.getBytes(UTF_8), null),
            (metadata, failure) -> {
              if (failure != null) {
                LOG.debug("[{}] {} is not removed from the reports", name, incarnation, failure);
              }
            });
  }

  /** Ends, and leaves the coordination to another worker. */
  void leave() {
    leaving = true;
    close();
  }

  @Override
  public void close() {
    closing = true;
    KafkaConsumer<byte[], byte[]> consumer = polled;
    if (consumer != null) {
      consumer.wakeup();
    }
    try {
      thread.join(1_500);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
