// SPDX-License-Identifier: Apache-2.0
package dev.sluice.time;

/** Two independent times. Durations are measured with {@link #nanos()} only. Thread-safe. */
public interface Clock {
  /** Monotonic nanoseconds since an arbitrary origin; compare by subtraction only. */
  long nanos();

  /** Milliseconds since the epoch; may jump. */
  long epochMillis();

  /** Microseconds since the epoch; may jump. */
  default long epochMicros() {
    return epochMillis() * 1_000;
  }
}
