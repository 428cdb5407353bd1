// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.delay.kafka.CancelCodec;
import dev.sluice.delay.kafka.DelayClients;
import dev.sluice.delay.kafka.DelayTopics;
import dev.sluice.flow.delay.ShardWatch;
import dev.sluice.flow.delay.ShardWatch.Beat;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The part of a worker that serves delayed tasks: it hears who serves which shard, takes what
 * nobody seems to serve, and says what it serves. Costs next to nothing where nothing was ever
 * delayed. Thread-safe.
 */
public final class DelayService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DelayService.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long BEAT_BUSY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long BEAT_IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long BEAT_PRESENT_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** A shard whose server shows no life is not claimed to be served. */
  private static final long HUNG_NANOS = TimeUnit.SECONDS.toNanos(3);

  private static final long REST_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long FENCED_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);
  private static final long CLOSE_MILLIS = 2_000;

  private final KafkaSettings kafka;
  private final DelayTopics topics;
  private final String name;
  private final Clock clock;
  private final RandomGenerator random;
  private final @Nullable HistoryWriter history;
  private final DelayCounters counters = new DelayCounters();
  private final AtomicBoolean inOrder = new AtomicBoolean();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Map<Integer, ShardServer> servers = new HashMap<>();

  /** Ready to take their shard, which another process serves. */
  private final Map<Integer, ShardServer> standby = new HashMap<>();

  private int offered = -1;
  private long offeredNanos;
  private boolean started;
  private volatile boolean closing;
  private volatile @Nullable KafkaConsumer<byte[], byte[]> present;

  /**
   * @param name of the worker
   * @param history where cancelled tasks are recorded; null for nowhere
   */
  public DelayService(
      KafkaSettings kafka,
      FleetDefinition fleet,
      String name,
      Clock clock,
      RandomGenerator random,
      @Nullable HistoryWriter history) {
    this.kafka = kafka;
    this.topics = new DelayTopics(fleet);
    this.name = name;
    this.clock = clock;
    this.random = random;
    this.history = history;
  }

  /** Starts its thread; a second call does nothing. */
  public void start() {
    lock.lock();
    try {
      if (started || closing) {
        return;
      }
      started = true;
      Thread thread = new Thread(this::run, "sluice-delays-" + name);
      thread.setDaemon(true);
      thread.start();
    } finally {
      lock.unlock();
    }
  }

  /** What it counts. */
  public DelayCounters counters() {
    return counters;
  }

  private void run() {
    try (Destinations destinations = new Destinations(kafka, TIMEOUT)) {
      while (!closing) {
        try {
          Optional<Integer> shards = topics.shards(destinations.topics());
          if (shards.isPresent()) {
            serve(shards.get(), destinations);
          }
        } catch (RuntimeException e) {
          if (!closing) {
            LOG.warn("[worker={}] Delayed tasks are not served from here: {}", name, e.toString());
          }
        }
        await(LOOK_NANOS);
      }
    } catch (RuntimeException e) {
      LOG.error("[worker={}] Delayed tasks are not served from here", name, e);
    } finally {
      ended.countDown();
    }
  }

  private void await(long nanos) {
    lock.lock();
    try {
      long left = nanos;
      while (!closing && left > 0) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      closing = true;
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  private void serve(int shards, Destinations destinations) {
    String self = name + "-" + Long.toHexString(random.nextLong());
    TopicPartition beats = new TopicPartition(topics.beats(), 0);
    try (KafkaConsumer<byte[], byte[]> consumer =
            DelayClients.tail(kafka, "sluice-delays-" + name);
        KafkaProducer<byte[], byte[]> producer =
            DelayClients.words(kafka, "sluice-delays-" + name)) {
      present = consumer;
      consumer.assign(List.of(beats));
      consumer.endOffsets(List.of(beats), TIMEOUT).forEach(consumer::seek);
      ShardWatch watch = new ShardWatch(self, shards, random, clock.nanos());
      Voice voice = new Voice(self, producer, beats.topic(), watch);
      try {
        while (!closing) {
          hear(consumer, watch, voice);
          long now = clock.nanos();
          reap(watch, now);
          offerSurplus(watch, voice, now);
          for (int shard = 0; shard < shards; shard++) {
            if (watch.shouldStand(shard)) {
              boolean onOffer = watch.onOffer(shard);
              watch.leads(shard, now);
              take(shard, destinations, onOffer);
              voice.speakSoon();
            } else if (!servers.containsKey(shard) && !standby.containsKey(shard)) {
              standby.put(shard, server(shard, destinations));
            }
          }
          if (watch.shouldProbe(now)) {
            watch.probes(now);
            voice.speakSoon();
          }
          counters.shards.set(servers.size());
          voice.speak(now, present(now));
        }
      } finally {
        present = null;
        stopServers();
        voice.leave();
      }
    }
  }

  private void hear(KafkaConsumer<byte[], byte[]> consumer, ShardWatch watch, Voice voice) {
    long now = clock.nanos();
    long wait = Math.max(1_000_000, Math.min(voice.restNanos(now), watch.nextNanos(now)));
    try {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofNanos(wait))) {
        Beat beat = CancelCodec.readBeat(record.value());
        if (beat != null) {
          for (int shard : watch.heard(beat, clock.nanos())) {
            ShardServer server = servers.get(shard);
            if (server != null) {
              server.check();
            }
          }
        }
      }
    } catch (WakeupException e) {
      // Closing.
    }
  }

  private void take(int shard, Destinations destinations, boolean onOffer) {
    ShardServer ready = standby.remove(shard);
    ShardServer server = ready == null ? server(shard, destinations) : ready;
    servers.put(shard, server);
    server.take(onOffer);
  }

  private ShardServer server(int shard, Destinations destinations) {
    ShardServer server =
        new ShardServer(
            kafka, shard, topics, destinations, name, clock, counters, inOrder, history);
    Thread thread = new Thread(server, "sluice-delay-" + shard + "-" + name);
    thread.setDaemon(true);
    thread.start();
    return server;
  }

  private void reap(ShardWatch watch, long now) {
    servers
        .entrySet()
        .removeIf(
            entry -> {
              ShardServer server = entry.getValue();
              if (server.ended()) {
                watch.lost(entry.getKey(), server.fenced() ? FENCED_REST_NANOS : REST_NANOS, now);
              }
              return server.ended();
            });
  }

  /** It is served on until somebody has taken it: tasks wait for as long as the taking takes. */
  private void offerSurplus(ShardWatch watch, Voice voice, long now) {
    int shard = watch.surplus(now);
    if (shard >= 0 && servers.containsKey(shard)) {
      LOG.info("[worker={}] Offering the delayed tasks of shard {} to others", name, shard);
      offered = shard;
      offeredNanos = now;
      voice.offer(shard);
    }
  }

  /** The shards whose servers show life. */
  private List<Integer> present(long now) {
    List<Integer> living = new ArrayList<>();
    servers.forEach(
        (shard, server) -> {
          boolean onOffer = shard == offered && now - offeredNanos < ShardWatch.OFFER_NANOS;
          if (!onOffer && now - server.turnedNanos() < HUNG_NANOS) {
            living.add(shard);
          }
        });
    return living;
  }

  private void stopServers() {
    standby.values().forEach(ShardServer::stop);
    standby.clear();
    servers.values().forEach(ShardServer::stop);
    long deadline = clock.nanos() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS / 2);
    servers.values().forEach(server -> server.awaitEnd(deadline));
    servers.clear();
    counters.shards.set(0);
  }

  /** What this process says of itself. */
  private final class Voice {
    private final String self;
    private final KafkaProducer<byte[], byte[]> producer;
    private final String topic;
    private final ShardWatch watch;
    private long nextNanos;
    private List<Integer> said = List.of();

    Voice(String self, KafkaProducer<byte[], byte[]> producer, String topic, ShardWatch watch) {
      this.watch = watch;
      this.self = self;
      this.producer = producer;
      this.topic = topic;
      this.nextNanos = clock.nanos();
    }

    long restNanos(long now) {
      return Math.max(0, nextNanos - now);
    }

    void speakSoon() {
      nextNanos = clock.nanos();
    }

    void speak(long now, List<Integer> shards) {
      if (now - nextNanos < 0) {
        return;
      }
      boolean busy = servers.values().stream().anyMatch(ShardServer::busy);
      long interval =
          shards.isEmpty() ? BEAT_PRESENT_NANOS : busy ? BEAT_BUSY_NANOS : BEAT_IDLE_NANOS;
      said = shards;
      nextNanos = now + interval;
      send(new Beat(self, watch.nextNumber(), interval, shards));
    }

    /** Somebody else takes it at once. */
    void offer(int shard) {
      send(new Beat(self, watch.nextNumber(), ShardWatch.OFFER, List.of(shard)));
      speakSoon();
    }

    void leave() {
      send(new Beat(self, watch.nextNumber(), ShardWatch.LEAVE, said));
      producer.flush();
    }

    private void send(Beat beat) {
      try {
        var ignored =
            producer.send(
                new ProducerRecord<>(topic, 0, self.getBytes(UTF_8), CancelCodec.write(beat)),
                (metadata, failure) -> {
                  if (failure != null) {
                    LOG.debug("[worker={}] A beat was not written", name, failure);
                  }
                });
      } catch (KafkaException e) {
        LOG.debug("[worker={}] A beat was not written", name, e);
      }
    }
  }

  /** Stops serving, and says so: others go on within a second. Waits about 2 s at most. */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      changed.signalAll();
      if (!started) {
        ended.countDown();
      }
    } finally {
      lock.unlock();
    }
    KafkaConsumer<byte[], byte[]> consumer = present;
    if (consumer != null) {
      consumer.wakeup();
    }
    try {
      if (!ended.await(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
        LOG.debug("[worker={}] The thread of delayed tasks is still ending", name);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
