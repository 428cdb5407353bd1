// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.schedule;

/** What becomes of the times at which nobody was there to fire. */
public enum Missed {
  /** Those that are more than a minute ago are left out. */
  SKIP,
  /** Only the last of them is fired. */
  ONCE,
  /** All of them are fired, in their order. */
  ALL
}
