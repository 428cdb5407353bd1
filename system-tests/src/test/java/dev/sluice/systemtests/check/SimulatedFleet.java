// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A fleet that keeps every promise, as a transcript: two workers share partitions, tasks fail and
 * are retried, workers are killed and replaced, partitions are handed over with and without runs
 * that outlive it. One seed makes one transcript.
 */
final class SimulatedFleet {
  private static final int PARTITIONS = 3;
  private static final int KEYS = 4;

  /** Completions are committed at least this often, in lines of the transcript. */
  static final int COMMIT_STEPS = 12;

  private static final class Partition {
    final int number;
    final int tasks;
    final int[] keyOf;
    String owner = "";
    BitSet done = new BitSet();
    BitSet committed = new BitSet();
    BitSet running = new BitSet();

    Partition(int number, int tasks, SplittableRandom random) {
      this.number = number;
      this.tasks = tasks;
      this.keyOf = random.ints(tasks, 0, KEYS).toArray();
    }

    String name(int offset) {
      return number + "/" + offset + " " + key(offset);
    }

    String key(int offset) {
      return "k" + keyOf[offset];
    }

    /** The next task of a key, or -1 where there is none or one is running. */
    int next(int key) {
      for (int offset = 0; offset < tasks; offset++) {
        if (keyOf[offset] == key && !done.get(offset)) {
          return running.get(offset) ? -1 : offset;
        }
      }
      return -1;
    }
  }

  private record Outliving(String worker, String task) {}

  final List<String> lines = new ArrayList<>();
  private final SplittableRandom random;
  private final List<Partition> partitions = new ArrayList<>();
  private final List<Outliving> outliving = new ArrayList<>();
  private final Map<Integer, String> workers = new LinkedHashMap<>();
  private int starts;
  private int sinceCommit;

  SimulatedFleet(long seed) {
    random = new SplittableRandom(seed);
    workers.put(0, "w0-0");
    workers.put(1, "w1-0");
    for (int number = 0; number < PARTITIONS; number++) {
      Partition partition = new Partition(number, 60, random);
      partition.owner = workers.get(number % 2);
      partitions.add(partition);
      for (int offset = 0; offset < partition.tasks; offset++) {
        lines.add("p accepted " + partition.name(offset));
      }
    }
  }

  /** Lets the fleet work until everything is done; returns the transcript. */
  List<String> run() {
    while (!finished()) {
      int lot = random.nextInt(1000);
      Partition partition = partitions.get(random.nextInt(PARTITIONS));
      if (lot < 520) {
        start(partition);
      } else if (lot < 940) {
        end(partition);
      } else if (lot < 965) {
        commit(partition);
      } else if (lot < 975) {
        kill(random.nextInt(2));
      } else {
        handOver(partition);
      }
      if (!outliving.isEmpty() && random.nextInt(4) == 0) {
        Outliving run = outliving.remove(random.nextInt(outliving.size()));
        lines.add(run.worker + " failed " + run.task + " STALE");
      }
      if (++sinceCommit >= COMMIT_STEPS / 2) {
        partitions.forEach(this::commit);
      }
    }
    outliving.forEach(run -> lines.add(run.worker + " failed " + run.task + " STALE"));
    return lines;
  }

  private boolean finished() {
    return partitions.stream().allMatch(each -> each.done.cardinality() == each.tasks);
  }

  private void start(Partition partition) {
    int offset = partition.next(random.nextInt(KEYS));
    if (offset < 0 || outlives(partition.owner, partition, offset)) {
      return;
    }
    if (random.nextInt(40) == 0) {
      lines.add(partition.owner + " expired " + partition.name(offset));
      partition.done.set(offset);
    } else {
      lines.add(partition.owner + " start " + partition.name(offset));
      partition.running.set(offset);
    }
  }

  /** A worker that regains a partition waits for what it still runs there of the key. */
  private boolean outlives(String worker, Partition partition, int offset) {
    return outliving.stream()
        .anyMatch(
            run ->
                run.worker.equals(worker)
                    && run.task.startsWith(partition.number + "/")
                    && run.task.endsWith(" " + partition.key(offset)));
  }

  private void end(Partition partition) {
    if (partition.running.isEmpty()) {
      return;
    }
    int[] running = partition.running.stream().toArray();
    int offset = running[random.nextInt(running.length)];
    int lot = random.nextInt(10);
    String how = lot == 0 ? "failed" : lot == 1 ? "dead" : "done";
    lines.add(
        partition.owner + " " + how + " " + partition.name(offset) + (lot < 2 ? " Oops" : ""));
    partition.running.clear(offset);
    if (lot != 0) {
      partition.done.set(offset);
    }
  }

  private void commit(Partition partition) {
    partition.committed = (BitSet) partition.done.clone();
    sinceCommit = 0;
  }

  private void kill(int worker) {
    String name = workers.get(worker);
    lines.add(name + " kill");
    outliving.removeIf(run -> run.worker.equals(name));
    String fresh = "w" + worker + "-" + ++starts;
    workers.put(worker, fresh);
    for (Partition partition : partitions) {
      if (partition.owner.equals(name)) {
        partition.owner = random.nextBoolean() ? fresh : workers.get(1 - worker);
        partition.running.clear();
        partition.done = (BitSet) partition.committed.clone();
      }
    }
  }

  private void handOver(Partition partition) {
    int mode = random.nextInt(3);
    partition.running.stream()
        .forEach(
            offset -> {
              if (mode == 0) {
                lines.add(partition.owner + " done " + partition.name(offset));
                partition.done.set(offset);
              } else if (mode == 1) {
                lines.add(partition.owner + " failed " + partition.name(offset) + " INTERRUPTED");
              } else {
                outliving.add(new Outliving(partition.owner, partition.name(offset)));
              }
            });
    partition.running.clear();
    commit(partition);
    partition.owner = partition.owner.equals(workers.get(0)) ? workers.get(1) : workers.get(0);
  }
}
