// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.CancelWish;
import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.HandlerLoad;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A consumer group of the worker, as the fleet's part of it sees it. Thread-safe. */
public interface WorkedGroup {
  /** How much each handler has to do. */
  List<HandlerLoad> loads();

  /** Its state. */
  EngineSnapshot snapshot();

  /** An operator paused or resumed a queue. */
  void pause(String queue, boolean paused);

  /**
   * Somebody wants some tasks not to run: tells the handlers of those that have one.
   *
   * @return what has become of those that are here, by id
   */
  Map<String, CancelWish.State> cancel(Set<String> ids);

  /** The fleet granted something: what waited for it may start. */
  void fleetGranted();
}
