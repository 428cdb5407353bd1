// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** Which of some tasks were started. */
public final class StartedIds {
  private StartedIds() {}

  /** Those of {@code wanted} that have a start in this history of a worker. */
  public static Set<String> in(Path history, Set<String> wanted) {
    Set<String> started = new HashSet<>();
    boolean ignored =
        HistoryReader.read(
            history,
            line -> {
              if (line.event() == HistoryEvent.START && wanted.contains(line.id())) {
                started.add(line.id());
              }
            });
    return started;
  }
}
