// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.subject;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * One process under test: each system calls {@link #task} for each record that it is given, and
 * this measures. When all tasks are done, or the time is over, it prints one line of JSON and ends
 * the process. Thread-safe.
 *
 * <p>Options beside those of the system: {@code tasks}, the number to do; {@code work}; {@code
 * seconds}, the most it may take; {@code check}, {@code count} or {@code full} (each offset once,
 * one task per key at a time and in order); {@code skip}, how many tasks are not measured for
 * latency; {@code look}, every how many milliseconds the tasks are counted; {@code ledger}, a file
 * to which the offset of each finished task is appended.
 */
public final class Subject {
  private static final long LATENCY_MAX = TimeUnit.MINUTES.toNanos(10);

  private final long tasks;
  private final long skip;
  private final long seconds;
  private final long lookNanos;
  private final Work work;
  private final LongAdder calls = new LongAdder();
  private final @Nullable Ordering ordering;
  private final @Nullable Recorder latencies;
  private final @Nullable DoneFile doneFile;

  private record Moment(
      long tasks,
      long calls,
      long nanos,
      long cpuNanos,
      long jitNanos,
      long allocated,
      long waited) {
    static Moment of(long tasks, long calls, long waited) {
      return new Moment(
          tasks,
          calls,
          System.nanoTime(),
          processCpu(),
          JitThreads.cpuNanos(),
          allocatedBytes(),
          waited);
    }

    private static long processCpu() {
      return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
          .getProcessCpuTime();
    }

    private static long allocatedBytes() {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long sum = 0;
      for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
        sum += Math.max(0, bytes);
      }
      return sum;
    }
  }

  /** Starts measuring with the options of this process. */
  public Subject(Options options) {
    this.tasks = options.number("tasks", 0);
    this.skip = options.number("skip", 0);
    this.seconds = options.number("seconds", 120);
    this.lookNanos = TimeUnit.MILLISECONDS.toNanos(options.number("look", 2));
    this.work = Work.of(options.text("work", "noop"));
    this.ordering =
        options.text("check", "count").equals("full")
            ? new Ordering(
                options.integer("partitions", 12),
                options.number("offsets", tasks),
                options.integer("keys", 100_000))
            : null;
    this.latencies = options.text("latency", "no").equals("yes") ? recorder() : null;
    String file = options.text("ledger", "");
    this.doneFile =
        file.isEmpty() ? null : new DoneFile(Path.of(file), options.integer("partitions", 12));
    Thread monitor = new Thread(this::monitor, "benchmark-monitor");
    monitor.setDaemon(true);
    monitor.start();
  }

  private static Recorder recorder() {
    return new Recorder(LATENCY_MAX, 3);
  }

  /** Does one task. */
  public void task(int partition, long offset, byte @Nullable [] key, byte[] payload) {
    Ordering checked = ordering;
    int number = checked == null || key == null ? -1 : Bytes.getInt(key, 0);
    boolean fresh = checked != null && checked.begin(partition, offset, number);
    work.run(payload);
    if (checked != null) {
      checked.end(number, fresh);
    }
    DoneFile file = doneFile;
    if (file != null) {
      file.done(partition, offset);
    }
    Recorder recorder = latencies;
    if (recorder != null) {
      measured(recorder, payload);
    }
    calls.increment();
  }

  private void measured(Recorder recorder, byte[] payload) {
    if (Bytes.getLong(payload, 8) >= skip) {
      recorder.recordValue(
          Math.max(0, Math.min(LATENCY_MAX, System.nanoTime() - Bytes.getLong(payload, 0))));
    }
  }

  /** How many tasks were done, duplicates included. */
  public long calls() {
    return calls.sum();
  }

  private long done() {
    Ordering checked = ordering;
    return checked == null ? calls.sum() : checked.distinct();
  }

  private void monitor() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    Moment first = await(1, end);
    Moment half = await(tasks / 2, end);
    Moment last = await(tasks, end);
    print(first, half, last);
    Runtime.getRuntime().halt(last.tasks < tasks ? 1 : 0);
  }

  private Moment await(long wanted, long end) {
    while (done() < wanted && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(lookNanos);
    }
    // Calls first: what is done in between is then no duplicate.
    long called = calls.sum();
    return Moment.of(done(), called, work.waitedNanos());
  }

  @SuppressWarnings("SystemOut") // the figures are this program's output
  private void print(Moment first, Moment half, Moment last) {
    StringBuilder json = new StringBuilder("{");
    add(json, "tasks", last.tasks);
    add(json, "lost", Math.max(0, tasks - last.tasks));
    add(json, "duplicated", Math.max(0, last.calls - last.tasks));
    Ordering checked = ordering;
    if (checked != null) {
      add(json, "disordered", checked.violations());
    }
    add(json, "seconds", (last.nanos - first.nanos) / 1e9);
    add(json, "tasksPerSecond", (last.tasks - first.tasks) * 1e9 / (last.nanos - first.nanos));
    add(json, "cpuPerMillion", last.cpuNanos / 1e3 / Math.max(1, last.tasks));
    long second = Math.max(1, last.tasks - half.tasks);
    add(json, "warmTasksPerSecond", second * 1e9 / Math.max(1, last.nanos - half.nanos));
    add(json, "warmCpuPerMillion", (last.cpuNanos - half.cpuNanos) / 1e3 / second);
    add(json, "warmJitPerMillion", (last.jitNanos - half.jitNanos) / 1e3 / second);
    add(json, "warmCpuCores", (double) (last.cpuNanos - half.cpuNanos) / (last.nanos - half.nanos));
    add(
        json,
        "warmWaiting",
        (double) (last.waited - half.waited) / Math.max(1, last.nanos - half.nanos));
    add(json, "allocatedPerTask", (double) (last.allocated - half.allocated) / second);
    add(json, "peakRssMiB", peakRssKib() / 1024.0);
    Recorder recorder = latencies;
    if (recorder != null) {
      Histogram all = recorder.getIntervalHistogram();
      add(json, "measured", all.getTotalCount());
      for (double percentile : List.of(50.0, 90.0, 99.0, 99.9, 100.0)) {
        String name = percentile == 99.9 ? "p999Millis" : "p" + (int) percentile + "Millis";
        add(json, name, all.getValueAtPercentile(percentile) / 1e6);
      }
    }
    json.setLength(json.length() - 1);
    System.out.println(json.append('}'));
    System.out.flush();
  }

  private static void add(StringBuilder json, String name, double value) {
    json.append(String.format(Locale.ROOT, "\"%s\":%s,", name, number(value)));
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, Math.abs(value) < 100 ? "%.4f" : "%.1f", value);
  }

  private static long peakRssKib() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException e) {
      return 0; // not Linux
    }
    return 0;
  }

  /** Which offsets were seen, and whether each key's tasks came one at a time and in order. */
  private static final class Ordering {
    private final AtomicLongArray[] seen;
    private final AtomicLongArray lastOfKey;
    private final LongAdder distinct = new LongAdder();
    private final LongAdder violations = new LongAdder();

    Ordering(int partitions, long offsets, int keys) {
      seen = new AtomicLongArray[partitions];
      for (int i = 0; i < partitions; i++) {
        seen[i] = new AtomicLongArray((int) (offsets >>> 6) + 1);
      }
      // Twice the last offset of the key plus one, plus one while a task of it runs.
      lastOfKey = new AtomicLongArray(keys);
    }

    /** Returns whether this offset was not seen before. */
    boolean begin(int partition, long offset, int key) {
      long bit = 1L << offset;
      AtomicLongArray words = seen[partition];
      long before = words.getAndAccumulate((int) (offset >>> 6), bit, (a, b) -> a | b);
      if (key >= 0) {
        long last = lastOfKey.getAndSet(key, (offset + 1) * 2 + 1);
        if ((last & 1) == 1 || last >>> 1 >= offset + 1) {
          violations.increment();
        }
      }
      return (before & bit) == 0;
    }

    void end(int key, boolean fresh) {
      if (fresh) {
        distinct.increment();
      }
      if (key >= 0) {
        lastOfKey.accumulateAndGet(key, ~1L, (a, b) -> a & b);
      }
    }

    long distinct() {
      return distinct.sum();
    }

    long violations() {
      return violations.sum();
    }
  }
}
