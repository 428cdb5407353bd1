// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The tasks of one shard that are not to come out, by id, with when they are due. Bounded. */
final class CancelledTasks {
  /** About 15 MB with ids as Sluice draws them. */
  static final int MAX = 100_000;

  /** A cancelled task that never came is forgotten so long after it was due. */
  private static final long FORGOTTEN_MILLIS = 24 * 3_600_000L;

  private final Map<String, Long> dueMillis = new HashMap<>();

  /** What the log says of a task; null if it is over. */
  void read(String id, @Nullable Long due) {
    if (due == null) {
      dueMillis.remove(id);
    } else {
      dueMillis.put(id, due);
    }
  }

  boolean contains(String id) {
    return !dueMillis.isEmpty() && dueMillis.containsKey(id);
  }

  boolean full() {
    return dueMillis.size() >= MAX;
  }

  int size() {
    return dueMillis.size();
  }

  /** Those that were due so long ago that they cannot come any more. */
  List<String> forgotten(long nowMillis) {
    List<String> old = new ArrayList<>();
    dueMillis.forEach(
        (id, due) -> {
          if (nowMillis - due > FORGOTTEN_MILLIS) {
            old.add(id);
          }
        });
    return old;
  }
}
