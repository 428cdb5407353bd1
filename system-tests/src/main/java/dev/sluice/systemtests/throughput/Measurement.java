// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.throughput;

import dev.sluice.time.SystemClock;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Rate and processor time of this process, from its first task to its last and, where the compiler
 * is warm, over the second half.
 */
final class Measurement {
  private static final long LOOK_NANOS = 2_000_000;

  private Measurement() {}

  private record Moment(long tasks, long nanos, long cpuNanos) {}

  static void printWhenDone(long tasks, LongSupplier done) {
    Moment first = await(done, 1);
    Moment half = await(done, tasks / 2);
    Moment last = await(done, tasks);
    print(first, half, last);
  }

  private static Moment await(LongSupplier done, long wanted) {
    while (done.getAsLong() < wanted) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
    long cpu = ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    return new Moment(done.getAsLong(), SystemClock.INSTANCE.nanos(), cpu);
  }

  @SuppressWarnings("SystemOut") // the figures are this program's output
  private static void print(Moment first, Moment half, Moment last) {
    System.out.println(
        String.format(
            Locale.ROOT,
            "{\"tasksPerSecond\":%.0f,\"cpuSecondsPerMillion\":%.3f,"
                + "\"warmTasksPerSecond\":%.0f,\"warmCpuSecondsPerMillion\":%.3f}",
            rate(first, last),
            (double) last.cpuNanos / 1e3 / last.tasks,
            rate(half, last),
            (last.cpuNanos - half.cpuNanos) / 1e3 / (last.tasks - half.tasks)));
  }

  private static double rate(Moment from, Moment to) {
    return (to.tasks - from.tasks) * 1e9 / (to.nanos - from.nanos);
  }
}
