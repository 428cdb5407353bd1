// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/**
 * One task of several that are worked at once. Thread-safe; valid until the handler returns.
 *
 * @param <T> the type of the payload
 */
public interface BatchItem<T> {
  /** The task. */
  Task<T> task();

  /** What is known of its attempt; its result and what it submits are given here. */
  TaskContext context();

  /** This one fails, as if a handler of its own had thrown that; its neighbours do not. */
  void fail(Exception why);
}
