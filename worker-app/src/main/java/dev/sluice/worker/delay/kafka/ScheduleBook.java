// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import dev.sluice.ConfigException;
import dev.sluice.delay.kafka.CronRecurrence;
import dev.sluice.delay.kafka.Schedule;
import dev.sluice.flow.schedule.Occurrences;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The recurring tasks of one shard, and up to when each was fired. Bounded. Not thread-safe. */
final class ScheduleBook {
  private static final Logger LOG = LoggerFactory.getLogger(DelayService.class);
  static final int MAX = 10_000;

  private final Map<String, Entry> entries = new HashMap<>();
  private final Map<String, Long> firedMillis = new HashMap<>();
  private final Map<String, Long> postponedMillis = new HashMap<>();
  private long nextMillis = Long.MAX_VALUE;

  private record Entry(Schedule schedule, CronRecurrence recurrence) {}

  /**
   * Something to fire.
   *
   * @param due its times, and up to when it is settled then
   */
  record Firing(Schedule schedule, Occurrences.Due due) {}

  /** What the log says. */
  void read(byte @Nullable [] key, byte @Nullable [] value) {
    String defined = Schedule.definedName(key);
    String fired = Schedule.firedName(key);
    if (fired != null) {
      if (value == null) {
        firedMillis.remove(fired);
      } else {
        firedMillis.merge(fired, Schedule.readFired(value), Math::max);
      }
    } else if (defined != null) {
      define(defined, value);
    }
    nextMillis = Long.MIN_VALUE; // looked at soon
  }

  private void define(String name, byte @Nullable [] value) {
    if (value == null) {
      entries.remove(name);
      postponedMillis.remove(name);
      return;
    }
    try {
      Schedule schedule = Schedule.read(name, value);
      if (entries.size() >= MAX && !entries.containsKey(name)) {
        LOG.error("Schedule {} is not served: {} are the most of one shard", name, MAX);
        return;
      }
      entries.put(name, new Entry(schedule, schedule.recurrence()));
    } catch (ConfigException e) {
      entries.remove(name);
      LOG.error("Schedule {} is not served: {}", name, e.getMessage());
    }
  }

  /** When to look again. */
  long nextMillis() {
    return nextMillis;
  }

  /** What is due; it counts as fired only when {@link #fired} says so. */
  List<Firing> due(long nowMillis) {
    if (nowMillis < nextMillis) {
      return List.of();
    }
    List<Firing> due = new ArrayList<>();
    long next = Long.MAX_VALUE;
    for (Entry entry : entries.values()) {
      Schedule schedule = entry.schedule();
      long postponed = postponedMillis.getOrDefault(schedule.name(), Long.MIN_VALUE);
      if (postponed > nowMillis) {
        next = Math.min(next, postponed);
        continue;
      }
      long last =
          Math.max(
              schedule.sinceMillis(), firedMillis.getOrDefault(schedule.name(), Long.MIN_VALUE));
      Occurrences.Due found =
          Occurrences.due(entry.recurrence(), schedule.missed(), last, nowMillis);
      if (!found.fire().isEmpty()) {
        due.add(new Firing(schedule, found));
      }
      next = Math.min(next, entry.recurrence().after(Math.max(nowMillis, found.lastMillis())));
    }
    nextMillis = due.isEmpty() ? next : Long.MIN_VALUE;
    return due;
  }

  /** It cannot be fired now: not before then. */
  void postpone(String name, long untilMillis) {
    postponedMillis.put(name, untilMillis);
  }

  /** Up to there a schedule was fired. */
  void fired(String name, long epochMillis) {
    firedMillis.merge(name, epochMillis, Math::max);
  }
}
