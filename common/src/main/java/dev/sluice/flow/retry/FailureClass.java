// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.retry;

/** How a failed attempt is reacted to. */
public enum FailureClass {
  /** Another attempt may succeed; the attempt counts. */
  RETRY,
  /** No attempt can succeed: dead letter at once. */
  FAIL,
  /** The downstream asked for less: the attempt does not count and the handler is held. */
  BACKPRESSURE,
  /** The handler asked for the task to come again later: the attempt does not count. */
  SNOOZE,
  /** The attempt was cut off by a hand-over or a stop: the attempt does not count. */
  INTERRUPTED
}
