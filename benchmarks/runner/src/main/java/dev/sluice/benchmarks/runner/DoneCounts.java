// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import dev.sluice.benchmarks.runner.Bench.Running;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** How often each task was done, as its processes leave it in a file that outlives them. */
final class DoneCounts {
  private final Path file;
  private final MappedByteBuffer counts;

  /**
   * @param offsets more than any partition has
   */
  DoneCounts(Path file, int partitions, long offsets) throws IOException {
    this.file = file;
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      counts = channel.map(FileChannel.MapMode.READ_WRITE, 0, partitions * offsets);
    }
  }

  Path file() {
    return file.toAbsolutePath();
  }

  /** Tasks that were done at least once. */
  long distinct() {
    long distinct = 0;
    for (int i = 0; i < counts.capacity(); i++) {
      distinct += counts.get(i) == 0 ? 0 : 1;
    }
    return distinct;
  }

  /** How often tasks were done. */
  long total() {
    long total = 0;
    for (int i = 0; i < counts.capacity(); i++) {
      total += counts.get(i);
    }
    return total;
  }

  /** Waits until so many are done; false if none was for that long. */
  boolean await(long wanted, Running running, Duration stall) {
    long last = -1;
    long lastNanos = System.nanoTime();
    for (long done = distinct(); done < wanted; done = distinct()) {
      if (done != last) {
        last = done;
        lastNanos = System.nanoTime();
      } else if (System.nanoTime() - lastNanos > stall.toNanos()) {
        return false;
      }
      if (!running.process().alive()) {
        throw new IllegalStateException("It ended by itself:\n" + running.process().logTail());
      }
      Faults.pause();
    }
    return true;
  }
}
