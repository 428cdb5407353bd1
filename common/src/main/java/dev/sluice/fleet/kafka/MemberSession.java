// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.Claim;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.Election;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.HolderState;
import dev.sluice.fleet.LimitGrant;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.Report;
import dev.sluice.fleet.wire.ControlCodec;
import dev.sluice.fleet.wire.ControlRecord;
import dev.sluice.flow.share.Share;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.queue.FleetDefinition;
import dev.sluice.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
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
 * Taking part in the fleet for as long as the control topics are the same ones. Used by the fleet's
 * thread, but for {@link #wake}.
 */
final class MemberSession implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MemberSession.class);
  private static final Duration POLL = Duration.ofMillis(50);

  /** With nothing shared; what is read ends a poll all the same. */
  private static final Duration IDLE_POLL = Duration.ofMillis(500);

  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long SILENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(1_250);
  private static final Duration CLOSE = Duration.ofMillis(800);
  private static final long LAST_WORD_MILLIS = 500;

  private static final long FORGET_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final KafkaSettings kafka;
  private final FleetDefinition fleet;
  private final FleetMember.Identity identity;
  private final ControlTopics.Found found;
  private final Participant participant;
  private final Clock clock;
  private final FleetCounters counters;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final KafkaProducer<byte[], byte[]> producer;
  private final TopicPartition own;
  private final TopicPartition first;
  private final TopicPartition settingsId;
  private final HolderState holder;
  private final Election election;
  private final ReportPace pace;
  private final boolean candidate;
  private final Map<LimitKey, Share> lastShares = new HashMap<>();
  private Map<TopicPartition, Long> endsAtStart = Map.of();
  private FleetSettings settings = FleetSettings.EMPTY;
  private long forgotNanos;
  private boolean settingsRead;
  private boolean settingsChanged;
  private boolean lowered;
  private long heardNanos;
  private long lookedNanos;
  private @Nullable CoordinatorLoop coordinator;
  private @Nullable Epoch coordinated;

  MemberSession(
      KafkaSettings kafka,
      FleetDefinition fleet,
      FleetMember.Identity identity,
      HolderState holder,
      ControlTopics.Found found,
      Participant participant,
      Clock clock,
      RandomGenerator random,
      FleetCounters counters) {
    this.kafka = kafka;
    this.fleet = fleet;
    this.identity = identity;
    this.found = found;
    this.participant = participant;
    this.clock = clock;
    this.counters = counters;
    this.candidate = identity.kind() == Report.Kind.WORKER;
    long now = clock.nanos();
    int partition = Math.floorMod(identity.incarnation().hashCode(), found.grantsPartitions());
    this.own = new TopicPartition(fleet.grantsTopic(), partition);
    this.first = new TopicPartition(fleet.grantsTopic(), 0);
    this.settingsId = new TopicPartition(fleet.settingsTopic(), 0);
    this.holder = holder;
    this.election = new Election(identity.incarnation(), identity.name(), random, now);
    this.pace = new ReportPace(random, now);
    this.heardNanos = now;
    this.lookedNanos = now;
    this.consumer = ControlClients.consumer(kafka, "sluice-fleet-" + identity.name(), 500);
    this.producer = ControlClients.producer(kafka, "sluice-fleet-" + identity.name(), 0);
  }

  void wake() {
    consumer.wakeup();
  }

  /** Runs until the end is asked for or the topics are others. */
  void run(ControlTopics topics, BooleanSupplier closing) {
    List<TopicPartition> assigned = new ArrayList<>(List.of(own, settingsId));
    if (candidate && !own.equals(first)) {
      assigned.add(first);
    }
    consumer.assign(assigned);
    consumer.seekToBeginning(assigned);
    endsAtStart = consumer.endOffsets(assigned);
    try {
      while (!closing.getAsBoolean()) {
        boolean quiet = read();
        long now = clock.nanos();
        tellSettings();
        coordinate();
        if (candidate && quiet) {
          election.claim(caughtUp(), now).ifPresent(this::claim);
        }
        report(now);
        if (now - heardNanos > SILENCE_NANOS
            && now - lookedNanos > LOOK_NANOS
            && topicsAreOthers(topics)) {
          return;
        }
      }
      leave();
    } finally {
      stopCoordinating();
    }
  }

  private boolean read() {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try {
      consumer.poll(participant.shares() ? POLL : IDLE_POLL).forEach(records::add);
    } catch (WakeupException e) {
      return false;
    }
    long now = clock.nanos();
    for (ConsumerRecord<byte[], byte[]> record : records) {
      TopicPartition id = new TopicPartition(record.topic(), record.partition());
      if (id.equals(settingsId)) {
        readSetting(record);
      } else if (record.value() != null) {
        readGrants(id, record, now);
      }
    }
    counters.refused.set(holder.refused());
    return records.isEmpty();
  }

  // ---- settings ----

  private void readSetting(ConsumerRecord<byte[], byte[]> record) {
    FleetSettings next =
        SettingsRecords.apply(settings, record.key(), record.value(), clock.epochMillis());
    if (next == null) {
      counters.unreadable.incrementAndGet();
    } else {
      settings = next;
      settingsChanged = true;
    }
  }

  private void tellSettings() {
    if (!settingsRead
        && consumer.position(settingsId) >= endsAtStart.getOrDefault(settingsId, 0L)) {
      settingsRead = true;
      settingsChanged = true;
      for (DeclaredQueue queue : participant.declare(settings)) {
        var ignored =
            send(
                fleet.settingsTopic(),
                0,
                SettingsRecords.declaredKey(queue.queue()),
                ControlCodec.write(queue));
      }
    }
    if (settingsRead && settingsChanged) {
      settingsChanged = false;
      participant.settings(settings);
      CoordinatorLoop running = coordinator;
      if (running != null) {
        running.settings(settings);
      }
    }
    if (coordinator != null) {
      forgetOldWishes();
    }
    for (CancelWish answer : participant.answers()) {
      var ignored =
          send(
              fleet.settingsTopic(),
              0,
              SettingsRecords.cancelKey(answer.id()),
              ControlCodec.write(answer));
    }
  }

  /** Whoever coordinates keeps the topic small. */
  private void forgetOldWishes() {
    long now = clock.nanos();
    if (now - forgotNanos < FORGET_NANOS) {
      return;
    }
    forgotNanos = now;
    long millis = clock.epochMillis();
    for (CancelWish wish : settings.cancels().values()) {
      if (!wish.holds(millis)) {
        var ignored = send(fleet.settingsTopic(), 0, SettingsRecords.cancelKey(wish.id()), null);
      }
    }
  }

  // ---- grants and claims ----

  private void readGrants(TopicPartition id, ConsumerRecord<byte[], byte[]> record, long now) {
    ControlRecord read = ControlCodec.read(record.value());
    if (read instanceof ControlRecord.OfGrants grants) {
      GrantBatch batch = grants.batch();
      if (!batch.epoch().topicId().equals(found.grantsId())) {
        counters.refused.incrementAndGet();
        return;
      }
      if (candidate) {
        election.batch(batch.epoch(), now);
      }
      if (id.equals(own)) {
        heardNanos = now;
        boolean believe = record.offset() >= endsAtStart.getOrDefault(own, 0L);
        Optional<Epoch> before = holder.epoch();
        holder.read(batch, believe, now).ifPresent(accepted -> apply(accepted, now));
        // A new coordinator knows what this process holds only when it is told.
        lowered |= !before.equals(holder.epoch());
      }
    } else if (read instanceof ControlRecord.OfClaim claim && id.equals(first)) {
      if (candidate) {
        boolean won = election.claimed(found.grantsId(), claim.claim(), record.offset(), now);
        LOG.debug("[{}] {} {}", identity.name(), claim.claim(), won ? "won" : "came too late");
      }
    } else {
      counters.unreadable.incrementAndGet();
    }
  }

  private void apply(HolderState.Accepted accepted, long now) {
    Grant grant = accepted.grant();
    for (LimitGrant limit : grant.limits()) {
      Share before = lastShares.put(limit.key(), limit.share());
      // A decrease is free for others only when it was reported.
      lowered |= before != null && !before.within(limit.share());
    }
    participant.granted(grant, accepted.endNanos(), now);
    counters.grants.incrementAndGet();
    counters.roundTripNanos.set(holder.roundTripNanos());
  }

  private boolean caughtUp() {
    return consumer.currentLag(first).orElse(1) == 0
        && consumer.position(first) >= endsAtStart.getOrDefault(first, 0L)
        && consumer.position(own) >= endsAtStart.getOrDefault(own, 0L);
  }

  private void claim(Claim claim) {
    LOG.info("[{}] No coordinator was heard; claiming {}", identity.name(), claim.counter());
    var ignored = send(fleet.grantsTopic(), 0, "claim".getBytes(UTF_8), ControlCodec.write(claim));
  }

  private void coordinate() {
    if (!candidate) {
      return;
    }
    Optional<Epoch> mine = election.own();
    if (coordinator != null
        && (!coordinator.running() || !mine.equals(Optional.ofNullable(coordinated)))) {
      stopCoordinating();
    }
    if (mine.isPresent()
        && settingsRead
        && !mine.get().equals(coordinated)
        && consumer.position(first) >= endsAtStart.getOrDefault(first, 0L)) {
      coordinated = mine.get();
      counters.elections.incrementAndGet();
      counters.coordinating.set(1);
      coordinator =
          new CoordinatorLoop(kafka, fleet, identity.name(), mine.get(), found, settings, clock);
      coordinator.start();
    }
  }

  private void stopCoordinating() {
    CoordinatorLoop running = coordinator;
    coordinator = null;
    counters.coordinating.set(0);
    if (running != null) {
      running.close();
    }
  }

  // ---- reports ----

  private void report(long now) {
    long lease = holder.leaseNanos() > 0 ? holder.leaseNanos() : fleet.lease().toNanos();
    boolean urgent = lowered || participant.urgent(now);
    if (pace.due(urgent, lease, holder.spacingNanos(), now)) {
      lowered = false;
      var ignored = sendReport(false, now);
    }
  }

  private Future<RecordMetadata> sendReport(boolean leaving, long now) {
    // The number first: a lease runs from before the report was made.
    long number = holder.beginReport(now);
    Participant.Content content = participant.content(leaving, now);
    Report report =
        new Report(
            identity.name(),
            identity.incarnation(),
            identity.kind(),
            number,
            found.grantsId(),
            own.partition(),
            holder.appliedCounter(),
            holder.appliedNumber(),
            holder.roundTripNanos(),
            leaving,
            content.limits(),
            content.credits(),
            content.queues());
    int partition = Math.floorMod(identity.incarnation().hashCode(), found.reportsPartitions());
    counters.reports.incrementAndGet();
    return send(
        fleet.reportsTopic(),
        partition,
        identity.incarnation().getBytes(UTF_8),
        ControlCodec.write(report));
  }

  private Future<RecordMetadata> send(
      String topic, int partition, byte[] key, byte @Nullable [] value) {
    try {
      return producer.send(
          new ProducerRecord<>(topic, partition, key, value),
          (metadata, failure) -> {
            if (failure != null) {
              counters.reportsFailed.incrementAndGet();
              LOG.debug("[{}] A control record was not written", identity.name(), failure);
            }
          });
    } catch (org.apache.kafka.common.KafkaException e) {
      counters.reportsFailed.incrementAndGet();
      LOG.debug("[{}] A control record was not written", identity.name(), e);
      return CompletableFuture.failedFuture(e);
    }
  }

  private void leave() {
    // First the report: whoever coordinates next finds it when it takes over.
    Future<RecordMetadata> last = sendReport(true, clock.nanos());
    try {
      RecordMetadata ignored = last.get(LAST_WORD_MILLIS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug("[{}] The last report was not written", identity.name(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    CoordinatorLoop running = coordinator;
    if (running != null) {
      running.leave();
    }
    stopCoordinating();
  }

  // ---- the topics ----

  private boolean topicsAreOthers(ControlTopics topics) {
    lookedNanos = clock.nanos();
    ControlTopics.Found present = topics.find();
    if (found.equals(present)) {
      return false;
    }
    LOG.warn(
        "[{}] The control topics were deleted or made anew; all leases end, and this process joins"
            + " again",
        identity.name());
    participant.leasesOver(clock.nanos());
    return true;
  }

  @Override
  public void close() {
    stopCoordinating();
    producer.close(CLOSE);
    consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofMillis(200)));
  }
}
