// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.subject;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How often each offset of each partition was done, in a file that is mapped, so that it survives a
 * {@code kill -9}. One byte per offset: bytes of different offsets do not disturb each other, and
 * one offset is not done twice at a time. Thread-safe.
 */
final class DoneFile {
  private final MappedByteBuffer counts;
  private final int perPartition;

  DoneFile(Path file, int partitions) {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      counts = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    perPartition = counts.capacity() / partitions;
  }

  void done(int partition, long offset) {
    int at = partition * perPartition + Math.toIntExact(offset);
    counts.put(at, (byte) (counts.get(at) + 1));
  }
}
