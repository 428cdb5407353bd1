// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.subject;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The processor time of the JIT compiler's threads, as Linux counts it in steps of 10 ms. A system
 * of more code pays more of it, and in a run of seconds to its end: in a worker that runs for hours
 * it is nothing. Compiler threads that have ended are not counted; with two processors none do.
 */
public final class JitThreads {
  /** The unit of the kernel's statistics that programs see: a hundredth of a second. */
  private static final long TICK_NANOS = 10_000_000;

  private JitThreads() {}

  /** Their processor time in this process so far, in nanoseconds; 0 where it is not known. */
  static long cpuNanos() {
    return cpuNanos(ProcessHandle.current().pid());
  }

  /** Their processor time in that process so far, in nanoseconds; 0 where it is not known. */
  public static long cpuNanos(long pid) {
    long ticks = 0;
    Path folder = Path.of("/proc", Long.toString(pid), "task");
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(folder)) {
      for (Path thread : threads) {
        ticks += ticks(thread);
      }
    } catch (IOException e) {
      return 0; // not Linux
    }
    return ticks * TICK_NANOS;
  }

  private static long ticks(Path thread) {
    try {
      String stat = Files.readString(thread.resolve("stat"));
      int end = stat.lastIndexOf(')');
      String name = stat.substring(stat.indexOf('(') + 1, end);
      if (!name.startsWith("C1 Compiler") && !name.startsWith("C2 Compiler")) {
        return 0;
      }
      String[] fields = stat.substring(end + 2).split(" ", 15);
      return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    } catch (IOException e) {
      return 0; // it has ended meanwhile
    }
  }
}
