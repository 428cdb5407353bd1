// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** Which tasks of a queue may not overlap or overtake each other. */
public enum Order {
  /** Two tasks with the same key never overlap and never swap. Tasks without a key are free. */
  KEY,
  /** Two tasks of the same partition never overlap and never swap. */
  PARTITION,
  /** No promise: the most concurrency. */
  NONE
}
