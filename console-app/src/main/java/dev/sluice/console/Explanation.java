// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console;

import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.PartitionReport;
import dev.sluice.fleet.QueueReport;
import dev.sluice.fleet.Report;
import dev.sluice.flow.pause.PauseReason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Why something of a queue does not move.
 *
 * @param who the worker or producer
 * @param what the partition, or {@code submits}
 * @param reason a named reason
 * @param sinceMillis how long it has held; -1 where that is not known
 * @param clearedBy what makes it go away
 */
public record Explanation(
    String who, String what, String reason, long sinceMillis, String clearedBy) {
  /** Everything that holds a queue now; empty if nothing does. */
  public static List<Explanation> of(String queue, FleetPicture picture, long nowMillis) {
    List<Explanation> all = new ArrayList<>();
    boolean worked = false;
    for (Report report : picture.reports()) {
      for (QueueReport each : report.queues()) {
        if (each.queue().equals(queue)) {
          worked = true;
          for (PartitionReport partition : each.partitions()) {
            partition
                .reasons()
                .forEach(
                    (reason, millis) ->
                        all.add(of(report, where(each, partition), reason, millis)));
          }
        }
      }
      for (LimitReport limit : report.limits()) {
        if (limit.key().scope().startsWith("queue/" + queue)
            && limit.demand() > 0
            && limit.held().isNone()) {
          all.add(
              new Explanation(
                  report.name(),
                  limit.key().text(),
                  PauseReason.FLEET_LIMIT.name(),
                  -1,
                  picture.coordinatorName().isPresent()
                      ? "others give up a part of the limit, or it is this worker's turn"
                      : "a worker becomes the coordinator"));
        }
      }
      for (CreditReport credit : report.credits()) {
        if (credit.queue().equals(queue) && credit.waiting() > 0) {
          all.add(ofProducer(report, credit, picture));
        }
      }
    }
    if (!worked) {
      all.add(
          new Explanation(
              "workers", "all partitions", "NO_WORKER", -1, "a worker of this queue is started"));
    }
    if (picture.settings().paused(queue, nowMillis)) {
      all.add(
          new Explanation(
              "operator",
              "all partitions",
              PauseReason.OPERATOR.name(),
              -1,
              "./sluice queue resume " + queue));
    }
    if (picture.settings().sealed(queue, nowMillis)) {
      all.add(
          new Explanation(
              "operator", "all producers", "SEALED", -1, "./sluice queue unseal " + queue));
    }
    all.sort(Comparator.comparing(Explanation::who).thenComparing(Explanation::what));
    return all;
  }

  private static Explanation of(Report report, String where, String reason, long millis) {
    String clearedBy;
    try {
      clearedBy = PauseReason.valueOf(reason).clearedBy();
    } catch (IllegalArgumentException e) {
      clearedBy = "not known to this version";
    }
    return new Explanation(report.name(), where, reason, millis, clearedBy);
  }

  /** A queue may have several topics: of priorities, of retries. */
  private static String where(QueueReport queue, PartitionReport partition) {
    String number = "partition " + partition.partition();
    return queue.topic().matches(".+\\.(p[1-9]|retry)") ? number + " of " + queue.topic() : number;
  }

  private static Explanation ofProducer(Report report, CreditReport credit, FleetPicture picture) {
    boolean answered = picture.coordinatorName().isPresent();
    return new Explanation(
        report.name(),
        credit.waiting() + " submits",
        answered ? "QUEUE_FULL" : "NO_COORDINATOR",
        -1,
        answered ? "workers finish tasks of the queue" : "a worker is started");
  }

  /** As the columns of a table, by name. */
  public Map<String, String> columns() {
    return Map.of(
        "who", who, "what", what, "reason", reason, "since", since(), "clearedBy", clearedBy);
  }

  private String since() {
    return sinceMillis < 0
        ? ""
        : sinceMillis < 10_000 ? sinceMillis + " ms" : sinceMillis / 1_000 + " s";
  }
}
