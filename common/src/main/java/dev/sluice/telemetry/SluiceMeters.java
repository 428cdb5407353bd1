// SPDX-License-Identifier: Apache-2.0
package dev.sluice.telemetry;

import java.util.List;
import java.util.Locale;

/**
 * Every meter that a worker or a producer registers with Micrometer. Those under {@code messaging.}
 * have the names of OpenTelemetry's conventions.
 */
public enum SluiceMeters {
  WORKER_PARTITIONS(
      "sluice.worker.partitions", Kind.GAUGE, "partitions", group(), "Partitions assigned now."),
  WORKER_PARTITIONS_PAUSED(
      "sluice.worker.partitions.paused",
      Kind.GAUGE,
      "partitions",
      group("reason"),
      "Partitions that this reason holds; one may be held by several at once."),
  WORKER_LANE_DEPTH(
      "sluice.worker.lane.depth",
      Kind.GAUGE,
      "tasks",
      group(),
      "Tasks in the lanes of all assigned partitions, running ones included."),
  WORKER_LANE_BYTES(
      "sluice.worker.lane.bytes",
      Kind.GAUGE,
      "bytes",
      group(),
      "Bytes of the tasks that the worker holds."),
  WORKER_RUNNING(
      "sluice.worker.running", Kind.GAUGE, "tasks", group(), "Tasks that are with threads."),
  WORKER_UNCOMMITTED(
      "sluice.worker.uncommitted",
      Kind.GAUGE,
      "tasks",
      group(),
      "Completions that no acknowledged commit covers: what a crash would run again, with the"
          + " running ones."),
  WORKER_HUNG(
      "sluice.worker.hung",
      Kind.GAUGE,
      "threads",
      group(),
      "Threads that are stuck in handlers that never returned."),
  WORKER_LEAKS(
      "sluice.worker.leaks",
      Kind.GAUGE,
      "places",
      group(),
      "Slots, permits and places in lanes that are taken by nobody; looked for every 10 s, named in"
          + " the log. Anything but 0 is a bug of Sluice's."),
  WORKER_REBALANCES(
      "sluice.worker.rebalances",
      Kind.COUNTER,
      "rebalances",
      group(),
      "Times that partitions were taken away."),
  WORKER_COMMITS(
      "sluice.worker.commits",
      Kind.COUNTER,
      "commits",
      group(),
      "Commits that the broker acknowledged."),
  WORKER_COMMIT_FAILURES(
      "sluice.worker.commit.failures",
      Kind.COUNTER,
      "commits",
      group(),
      "Commits that failed; they are tried again."),
  WORKER_LOST_BY_RETENTION(
      "sluice.worker.lost.by.retention",
      Kind.COUNTER,
      "offsets",
      group(),
      "Offsets that the broker deleted before they were worked. Above 0, tasks were lost."),
  WORKER_ATTEMPTS(
      "sluice.worker.attempts",
      Kind.COUNTER,
      "attempts",
      List.of("queue", "type", "outcome"),
      "Attempts by how they ended: succeeded; failed; interrupted by a hand-over or a stop; dead,"
          + " the task went to the dead letters; expired, its deadline had passed and it was not run;"
          + " cancelled, somebody has cancelled it before it was run;"
          + " duplicate, one of its id came before it and it was not run;"
          + " stale, the partition was gone and the completion was dropped."),
  WORKER_SLOW(
      "sluice.worker.slow",
      Kind.COUNTER,
      "attempts",
      List.of("queue", "type"),
      "Attempts that took more than 10 s and 20 times what is usual for their handler; the log"
          + " names them."),
  WORKER_PROCESS_DURATION(
      "messaging.process.duration",
      Kind.TIMER,
      "seconds",
      List.of("queue", "type"),
      "Time in the handler, of the attempts that succeeded or failed."),
  DELAYS_SHARDS(
      "sluice.delays.shards",
      Kind.GAUGE,
      "shards",
      List.of(),
      "Shards of the delay topics that this worker serves."),
  DELAYS_MOVED(
      "sluice.delays.moved",
      Kind.COUNTER,
      "tasks",
      List.of(),
      "Moves of delayed tasks from one delay topic to the next."),
  DELAYS_CANCELLED(
      "sluice.delays.cancelled",
      Kind.COUNTER,
      "tasks",
      List.of(),
      "Delayed tasks that did not come out because they were cancelled."),
  DELAYS_FAILED(
      "sluice.delays.failed",
      Kind.COUNTER,
      "transactions",
      List.of(),
      "Transactions of delayed tasks that failed; they are made again."),
  DELAYS_LATENESS(
      "sluice.delays.lateness",
      Kind.TIMER,
      "seconds",
      List.of(),
      "Delayed tasks that came out into their queues, and how long after they were due."),
  FLEET_COORDINATING(
      "sluice.fleet.coordinating",
      Kind.GAUGE,
      "processes",
      List.of(),
      "1 while this worker is the coordinator of the fleet."),
  FLEET_REPORTS(
      "sluice.fleet.reports",
      Kind.COUNTER,
      "records",
      List.of(),
      "Reports that this process wrote."),
  FLEET_GRANTS(
      "sluice.fleet.grants",
      Kind.COUNTER,
      "records",
      List.of(),
      "Grants that this process applied."),
  FLEET_GRANTS_REFUSED(
      "sluice.fleet.grants.refused",
      Kind.COUNTER,
      "records",
      List.of(),
      "Grants that this process did not believe: of an earlier epoch, for an old report, or late."),
  FLEET_UNREADABLE(
      "sluice.fleet.unreadable",
      Kind.COUNTER,
      "records",
      List.of(),
      "Control records that were damaged, impossible or of another version."),
  FLEET_ROUND_TRIP(
      "sluice.fleet.round.trip",
      Kind.GAUGE,
      "nanoseconds",
      List.of(),
      "How long the last grant took from the report that it answers."),
  FLEET_SHARE_RATE(
      "sluice.fleet.share.rate",
      Kind.GAUGE,
      "starts per second",
      List.of("limit"),
      "This worker's share of a fleet rate; 0 without a valid lease."),
  FLEET_SHARE_SLOTS(
      "sluice.fleet.share.slots",
      Kind.GAUGE,
      "tasks",
      List.of("limit"),
      "This worker's share of a fleet concurrency; 0 without a valid lease."),
  PRODUCER_TASKS(
      "sluice.producer.tasks",
      Kind.COUNTER,
      "tasks",
      List.of("outcome"),
      "Submitted tasks by how the submit ended: accepted, the broker acknowledged it; rejected, it"
          + " was not published; unknown, it may or may not be in the log."),
  PRODUCER_IN_FLIGHT_TASKS(
      "sluice.producer.in.flight.tasks",
      Kind.GAUGE,
      "tasks",
      List.of(),
      "Tasks that were admitted and have no outcome yet."),
  PRODUCER_IN_FLIGHT_BYTES(
      "sluice.producer.in.flight.bytes",
      Kind.GAUGE,
      "bytes",
      List.of(),
      "Bytes of the tasks that were admitted and have no outcome yet."),
  PRODUCER_WAITING(
      "sluice.producer.waiting", Kind.GAUGE, "threads", List.of(), "Threads that wait to submit.");

  /** What a meter does over time. */
  public enum Kind {
    /** A value that goes up and down. */
    GAUGE,
    /** A count that only grows while the process lives. */
    COUNTER,
    /** A count and a sum of durations. */
    TIMER
  }

  private final String meterName;
  private final Kind kind;
  private final String unit;
  private final List<String> tags;
  private final String meaning;

  SluiceMeters(String meterName, Kind kind, String unit, List<String> tags, String meaning) {
    this.meterName = meterName;
    this.kind = kind;
    this.unit = unit;
    this.tags = tags;
    this.meaning = meaning;
  }

  private static List<String> group(String... more) {
    return more.length == 0
        ? List.of("messaging.consumer.group.name")
        : List.of("messaging.consumer.group.name", more[0]);
  }

  /** The name in Micrometer, words joined by dots. */
  public String meterName() {
    return meterName;
  }

  /** What it does over time. */
  public Kind kind() {
    return kind;
  }

  /** What is counted or measured. */
  public String unit() {
    return unit;
  }

  /** The keys of its tags, as Micrometer has them. */
  public List<String> tags() {
    return tags;
  }

  /** What it says, as a sentence. */
  public String meaning() {
    return meaning;
  }

  /**
   * The name under {@code /metrics}; of a timer, the one before {@code _count} and {@code _sum}.
   */
  public String prometheusName() {
    String name = prometheus(meterName);
    return switch (kind) {
      case GAUGE -> name;
      case COUNTER -> name + "_total";
      case TIMER -> name + "_" + unit;
    };
  }

  /** The labels under {@code /metrics}. */
  public List<String> prometheusLabels() {
    return tags.stream().map(SluiceMeters::prometheus).toList();
  }

  private static String prometheus(String dotted) {
    return dotted.replace('.', '_').toLowerCase(Locale.ROOT);
  }
}
