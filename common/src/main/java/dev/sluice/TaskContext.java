// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** What one attempt of a task may know. Valid during the call of the handler; thread-safe. */
public interface TaskContext {
  /** 1 for the first attempt. Interrupted attempts do not count. */
  int attempt();

  /**
   * Whether this attempt should stop: its time is up, its partition was given to another worker, or
   * the worker stops. What it returns after its hand-over time is dropped.
   */
  boolean cancelled();

  /** The name of the worker that runs this attempt. */
  String worker();

  /** The topic that the record was read from. */
  String topic();

  /** The partition that the record was read from. */
  int partition();

  /** The offset of the record. */
  long offset();
}
