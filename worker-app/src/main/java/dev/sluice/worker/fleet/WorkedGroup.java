// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.worker.engine.EngineSnapshot;
import dev.sluice.worker.engine.HandlerLoad;
import java.util.List;

/** A consumer group of the worker, as the fleet's part of it sees it. Thread-safe. */
public interface WorkedGroup {
  /** How much each handler has to do. */
  List<HandlerLoad> loads();

  /** Its state. */
  EngineSnapshot snapshot();

  /** An operator paused or resumed a queue. */
  void pause(String queue, boolean paused);

  /** The fleet granted something: what waited for it may start. */
  void fleetGranted();
}
