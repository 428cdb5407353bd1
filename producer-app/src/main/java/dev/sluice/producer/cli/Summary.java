// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import java.util.Locale;

/**
 * What a run came to.
 *
 * @param accepted tasks that the brokers acknowledged
 * @param rejected tasks that were refused and not published
 * @param unknown tasks whose fate is not known
 * @param bad lines that were no tasks
 * @param seconds it took
 * @param waitedSeconds how long it waited for room in the queue
 */
record Summary(
    long accepted, long rejected, long unknown, long bad, double seconds, double waitedSeconds) {
  String json() {
    return String.format(
        Locale.ROOT,
        "{\"accepted\":%d,\"rejected\":%d,\"unknown\":%d,\"bad\":%d,\"seconds\":%.3f,\"waitedSeconds\":%.3f}",
        accepted,
        rejected,
        unknown,
        bad,
        seconds,
        waitedSeconds);
  }

  String text() {
    return String.format(
        Locale.ROOT,
        "accepted %d, rejected %d, unknown %d, bad %d, in %.1f s%s",
        accepted,
        rejected,
        unknown,
        bad,
        seconds,
        waitedSeconds < 0.05
            ? ""
            : String.format(Locale.ROOT, ", %.1f s of it waiting for room", waitedSeconds));
  }
}
