// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How long each partition stood still, from the times at which tasks started. Under a steady load a
 * long gap between two starts is a stop; the two tell whether the partition moved meanwhile.
 */
public final class StartGaps {
  private final Map<Integer, int[]> runsByPartition = new TreeMap<>();
  private final RunTable runs = new RunTable();

  private StartGaps() {}

  /** Reads the starts of the histories of workers. */
  public static StartGaps read(List<Path> workers) {
    return read(workers, null);
  }

  /** Reads those of one queue; of all if it is null. */
  public static StartGaps read(List<Path> workers, @Nullable String queue) {
    StartGaps gaps = new StartGaps();
    Map<String, Integer> incarnations = new TreeMap<>();
    Map<Integer, List<Integer>> byPartition = new TreeMap<>();
    for (Path worker : workers) {
      boolean ignored =
          HistoryReader.read(
              worker,
              line -> {
                if (line.event() == HistoryEvent.START
                    && (queue == null || queue.equals(line.queue()))) {
                  int incarnation =
                      incarnations.computeIfAbsent(
                          String.valueOf(line.incarnation()), name -> incarnations.size());
                  byPartition
                      .computeIfAbsent(line.partition(), p -> new ArrayList<>())
                      .add(
                          gaps.runs.add(line.partition(), line.offset(), incarnation, line.mono()));
                }
              });
    }
    byPartition.forEach(
        (partition, list) -> {
          int[] numbers = list.stream().mapToInt(Integer::intValue).toArray();
          gaps.runs.sortByStart(numbers, 0, numbers.length);
          gaps.runsByPartition.put(partition, numbers);
        });
    return gaps;
  }

  /**
   * The longest gap of each partition that ends in a span of time.
   *
   * @param fromMono when the span begins
   * @param toMono when it ends
   */
  public List<Gap> longest(long fromMono, long toMono) {
    List<Gap> longest = new ArrayList<>();
    runsByPartition.forEach(
        (partition, numbers) -> {
          Gap best = null;
          boolean moved = false;
          for (int i = 0; i + 1 < numbers.length; i++) {
            long start = runs.start(numbers[i]);
            long next = runs.start(numbers[i + 1]);
            if (next < fromMono || next > toMono) {
              continue;
            }
            moved |= runs.incarnation(numbers[i]) != runs.incarnation(numbers[i + 1]);
            if (best == null || next - start > best.nanos()) {
              best = new Gap(partition, start, next - start, false);
            }
          }
          if (best != null) {
            longest.add(new Gap(partition, best.fromMono(), best.nanos(), moved));
          }
        });
    return longest;
  }

  /**
   * A time without a start in a partition.
   *
   * @param fromMono the start before it
   * @param nanos until the start after it
   * @param moved whether the partition changed its worker in the span that was asked for
   */
  public record Gap(int partition, long fromMono, long nanos, boolean moved) {}
}
