// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Whose reports can be removed from the topic: those of processes that have been silent for longer
 * than anything they had can last. Not thread-safe; at most as many as there are reports.
 */
final class Departed {
  /** How long the last report of a silent process is kept. */
  static final long KEEP_NANOS = TimeUnit.MINUTES.toNanos(15);

  private static final int TAKEN_MAX = 1_000;

  private final Map<String, Long> lastSeen = new HashMap<>();
  private long lookedNanos;
  private boolean looked;

  void seen(String incarnation, long nowNanos) {
    lastSeen.put(incarnation, nowNanos);
  }

  boolean due(long everyNanos, long nowNanos) {
    if (looked && nowNanos - lookedNanos < everyNanos) {
      return false;
    }
    looked = true;
    lookedNanos = nowNanos;
    return true;
  }

  /** Takes out those that can go. */
  List<String> take(long nowNanos) {
    List<String> gone = new ArrayList<>();
    for (Map.Entry<String, Long> entry : lastSeen.entrySet()) {
      if (nowNanos - entry.getValue() >= KEEP_NANOS && gone.size() < TAKEN_MAX) {
        gone.add(entry.getKey());
      }
    }
    gone.forEach(lastSeen::remove);
    return gone;
  }
}
