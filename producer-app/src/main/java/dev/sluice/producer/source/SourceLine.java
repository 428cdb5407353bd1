// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import dev.sluice.Task;

/** One line of a source: a task, or not. */
public sealed interface SourceLine {
  /** The number of its (first) line, from 1. */
  long number();

  /**
   * A task.
   *
   * @param number of its line
   * @param task to publish
   */
  record Good(long number, Task<byte[]> task) implements SourceLine {}

  /**
   * A line that is no task.
   *
   * @param number of the line
   * @param reason what is wrong with it
   */
  record Bad(long number, String reason) implements SourceLine {}
}
