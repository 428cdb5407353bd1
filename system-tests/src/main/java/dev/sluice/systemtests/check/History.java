// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The histories of all processes, joined: what is known of each offset, and all its runs. */
final class History {
  /** How the topic ends through which tasks come back that let others pass. */
  private static final String RETRY_TOPIC = ".retry";

  /** What ends an attempt after which a task waits elsewhere. */
  private static final String LATER = "LATER";

  private record TaskAt(int partition, long offset) {}

  final RunTable runs = new RunTable();
  final TreeMap<Integer, PartitionTable> partitions = new TreeMap<>();
  final LongSet rejected = new LongSet();
  final List<String> rejectedButStarted = new ArrayList<>();
  final List<String> endedWithoutStart = new ArrayList<>();
  final Map<HistoryEvent, Long> counts = new HashMap<>();
  final List<String> incarnations = new ArrayList<>();

  /** Accepted tasks that were not in their queue yet and have no terminal record, by id. */
  final Set<String> delayed = new HashSet<>();

  int tornLines;

  private final Set<String> endedElsewhere = new HashSet<>();
  private final LongSet acceptedIds = new LongSet();
  private final Map<String, Integer> numberOf = new HashMap<>();
  private final List<Long> lastMono = new ArrayList<>();
  private final @Nullable String wantedQueue;
  private @Nullable String onlyQueue;

  History(@Nullable String wantedQueue) {
    this.wantedQueue = wantedQueue;
    this.onlyQueue = wantedQueue;
  }

  // ---- producers, to be read first ----

  void readProducer(Path file) {
    tornLines += HistoryReader.read(file, this::submitted) ? 1 : 0;
  }

  private void submitted(HistoryLine line) {
    counts.merge(line.event(), 1L, Long::sum);
    switch (line.event()) {
      case ACCEPTED -> {
        if (line.partition() < 0) {
          delayed.add(line.id());
        } else {
          partition(line.partition()).accept(line.offset(), keyOf(line));
        }
        acceptedIds.add(LongSet.hash(line.id()));
      }
      case REJECTED -> rejected.add(LongSet.hash(line.id()));
      case UNKNOWN -> {
        // May be in the log or not: it may run, and nothing is lost if it does not.
      }
      default ->
          throw new HistoryFormatException(
              "The event '" + line.event().word() + "' of a worker is in a producer's history",
              null);
    }
  }

  // ---- workers ----

  void readWorker(Path file) {
    OpenRuns open = new OpenRuns();
    tornLines += HistoryReader.read(file, line -> worked(line, open)) ? 1 : 0;
  }

  /** The runs of one process that have no end yet; of a task that it regained there may be two. */
  private static final class OpenRuns {
    private final Map<TaskAt, Integer> newest = new HashMap<>();
    private final Map<TaskAt, Integer> outliving = new HashMap<>();

    void begin(TaskAt task, int run) {
      Integer before = newest.put(task, run);
      if (before != null) {
        outliving.put(task, before);
      }
    }

    @Nullable Integer end(TaskAt task, Ending how) {
      Integer older = how.fenced() ? outliving.remove(task) : null;
      return older != null ? older : newest.remove(task);
    }
  }

  private void worked(HistoryLine line, OpenRuns open) {
    if (cameBack(line) || !isOfQueue(line)) {
      return;
    }
    counts.merge(line.event(), 1L, Long::sum);
    int incarnation = incarnation(line);
    if (line.event().terminal()) {
      delayed.remove(line.id());
    }
    if (line.partition() < 0) {
      return; // cancelled before it was in its queue
    }
    PartitionTable partition = partition(line.partition());
    int at = partition.know(line.offset(), keyOf(line));
    if (line.event() == HistoryEvent.DUPLICATE) {
      partition.terminal(at, line.mono()); // nothing is owed for this record
      return;
    }
    TaskAt task = new TaskAt(line.partition(), line.offset());
    if (line.event() == HistoryEvent.START) {
      long id = LongSet.hash(line.id());
      if (rejected.contains(id) && !acceptedIds.contains(id)) {
        rejectedButStarted.add(line.id());
      }
      open.begin(task, addRun(line, incarnation, partition, at));
      return;
    }
    Ending ending = Ending.of(line.event(), line.error());
    Integer run = open.end(task, ending);
    if (run == null) {
      if (ending == Ending.DONE || !ending.terminal()) {
        endedWithoutStart.add(
            line.event().word()
                + " of "
                + line.partition()
                + "/"
                + line.offset()
                + " by "
                + line.incarnation());
      }
      // Expired, cancelled or dead before any attempt: a run of no length, which has its place in
      // the order like any other.
      run = addRun(line, incarnation, partition, at);
    }
    runs.end(run, ending, line.mono());
    if (LATER.equals(line.error()) && !endedElsewhere.contains(line.id())) {
      delayed.add(line.id());
    }
    if (ending.terminal() || LATER.equals(line.error())) {
      partition.terminal(at, line.mono());
    }
  }

  /** Whether it is of a task that waited elsewhere: then only its end counts, by its id. */
  private boolean cameBack(HistoryLine line) {
    if (!String.valueOf(line.queue()).endsWith(RETRY_TOPIC)) {
      return false;
    }
    if (line.event().terminal()) {
      endedElsewhere.add(line.id());
      delayed.remove(line.id());
    }
    return true;
  }

  private int addRun(HistoryLine line, int incarnation, PartitionTable partition, int at) {
    int run = runs.add(line.partition(), line.offset(), incarnation, line.mono());
    partition.addRun(at, run, runs);
    return run;
  }

  private boolean isOfQueue(HistoryLine line) {
    String queue = line.queue();
    if (queue == null) {
      throw new HistoryFormatException(
          "A worker's event of " + line.id() + " names no queue", null);
    }
    String only = onlyQueue;
    if (only == null) {
      onlyQueue = queue;
      return true;
    }
    if (!only.equals(queue) && wantedQueue == null) {
      throw new HistoryFormatException(
          "The histories hold the queues '" + only + "' and '" + queue + "'. Say which to judge.",
          null);
    }
    return only.equals(queue);
  }

  private int incarnation(HistoryLine line) {
    String name = String.valueOf(line.incarnation());
    Integer number = numberOf.get(name);
    if (number == null) {
      number = incarnations.size();
      numberOf.put(name, number);
      incarnations.add(name);
      lastMono.add(line.mono());
    }
    lastMono.set(number, Math.max(lastMono.get(number), line.mono()));
    return number;
  }

  private PartitionTable partition(int number) {
    return partitions.computeIfAbsent(number, n -> new PartitionTable());
  }

  private static long keyOf(HistoryLine line) {
    String key = line.key();
    return key == null ? PartitionTable.NO_KEY : LongSet.hash(key);
  }

  // ---- afterwards ----

  /**
   * The disturbances with the moment in which each took effect: a signal needs a while to arrive,
   * and what the process wrote until then belongs before it.
   */
  List<Disturbance> settled(List<Disturbance> disturbances) {
    List<Disturbance> settled = new ArrayList<>();
    for (Disturbance each : disturbances) {
      Integer number = numberOf.get(each.incarnation());
      long from = each.fromMono();
      for (int run = 0; number != null && run < runs.size(); run++) {
        if (runs.incarnation(run) == number) {
          from = latest(from, runs.start(run), each.toMono());
          from = latest(from, runs.end(run), each.toMono());
        }
      }
      settled.add(
          new Disturbance(
              each.kind(),
              each.incarnation(),
              from,
              each.toMono(),
              each.uncommitted(),
              each.sampledMono()));
    }
    return settled;
  }

  private static long latest(long known, long mono, long end) {
    return mono <= end ? Math.max(known, mono) : known;
  }

  /** Lets the runs without an end last until their process was killed, or wrote its last line. */
  void cutOpenRuns(List<Disturbance> disturbances) {
    Map<Integer, Long> killed = new LinkedHashMap<>();
    for (Disturbance each : disturbances) {
      Integer number = numberOf.get(each.incarnation());
      if (each.kind() == Disturbance.Kind.KILL && number != null) {
        killed.put(number, each.fromMono());
      }
    }
    for (int run = 0; run < runs.size(); run++) {
      if (runs.ending(run) == Ending.OPEN) {
        int incarnation = runs.incarnation(run);
        runs.cutAt(run, killed.getOrDefault(incarnation, lastMono.get(incarnation)));
      }
    }
  }

  String nameOf(int run) {
    return runs.partition(run) + "/" + runs.offset(run);
  }

  String describe(int run) {
    return nameOf(run)
        + " by "
        + incarnations.get(runs.incarnation(run))
        + " ["
        + runs.start(run)
        + ", "
        + runs.end(run)
        + "] "
        + runs.ending(run);
  }
}
