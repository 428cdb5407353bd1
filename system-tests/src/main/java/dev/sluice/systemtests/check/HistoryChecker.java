// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.history.HistoryEvent;
import java.nio.file.Path;
import java.util.List;

/**
 * Judges the recorded histories of one queue by the promises S1, S2 and S3. Times are the {@code
 * mono} of the lines, which processes of one machine have in common.
 *
 * <p><b>A run</b> lasts from {@code start} to the next end of the same task in the same process. A
 * run without an end lasts until its process was killed, else until its last line.
 *
 * <p><b>S1.</b> Each accepted task has a terminal record ({@code done}, {@code dead}, {@code
 * expired}, {@code cancelled}); a rejected one has no start. One whose fate is unknown may have
 * either.
 *
 * <p><b>S2.</b> A run is a duplicate if the task had run before and that run did not end in {@code
 * failed}. It is put down to the kill or suspension of the worker of the run before it; there may
 * be at most as many as were in flight there plus those completed in the commit window before. Any
 * other is unexplained, except after a run that outlived its hand-over ({@code STALE}), which is
 * counted by itself, and after one that was cut off ({@code INTERRUPTED}), which is none.
 *
 * <p><b>S3.</b> For one key (or partition), in the order in which the runs started:
 *
 * <ul>
 *   <li>No run starts while another lasts, except beside a run of another process whose result was
 *       dropped (INTERRUPTED, STALE) or which stood still: a fenced overlap.
 *   <li>No run starts before every task of a lower offset has a terminal record.
 *   <li>Each run is of the same offset as the one before it, of the next one, or of a lower one;
 *       that is a replay of completions that were not committed, and only a new assignment begins
 *       one: the run is in another process, or its process was disturbed, or another one had worked
 *       the partition in between. A replay leaves nothing out.
 * </ul>
 *
 * <p>Valid, offsets 5, 6, 7 of one key; w1 is killed while 7 runs, and only 5 was committed:
 *
 * <pre>
 *   w1: start 5, done 5, start 6, done 6, start 7, (killed)
 *   w2:                                              start 6, done 6, start 7, done 7
 * </pre>
 *
 * <p>6 and 7 are duplicates: one completed in the commit window, one in flight. Invalid, each by
 * itself:
 *
 * <pre>
 *   start 5, start 6, done 5, done 6             an overlap, and 6 overtook 5
 *   start 5, failed 5, start 6, done 6           6 overtook the retry of 5
 *   w1: ... done 7 (killed)  w2: start 5, done 5, start 7       the replay leaves out 6
 *   w1: start 5, done 5, start 6, done 6, start 5               a replay without an assignment
 * </pre>
 */
public final class HistoryChecker {
  private final CheckOptions given;

  /** A checker of runs with these promises and these disturbances. */
  public HistoryChecker(CheckOptions options) {
    this.given = options;
  }

  /**
   * Reads the files and judges them. Memory: about 100 bytes for each task and 50 for each further
   * run.
   *
   * @param producers histories of producers
   * @param workers histories of workers, each file of one process
   * @throws HistoryFormatException if a file is damaged elsewhere than in its last line
   */
  public Report check(List<Path> producers, List<Path> workers) {
    History history = new History(given.queue());
    producers.forEach(history::readProducer);
    workers.forEach(history::readWorker);
    CheckOptions options =
        given.disturbedBy(history.settled(given.disturbances()), given.commitWindow());
    history.cutOpenRuns(options.disturbances());
    Violations violations = new Violations();
    judgeLoss(history, violations);
    DuplicateFigures duplicates = new DuplicateJudge(history, options, violations).judge();
    long fenced = new OrderJudge(history, options, violations).judge();
    return new Report(
        violations.texts().isEmpty(),
        count(history, HistoryEvent.ACCEPTED),
        count(history, HistoryEvent.REJECTED),
        count(history, HistoryEvent.UNKNOWN),
        count(history, HistoryEvent.START),
        count(history, HistoryEvent.DONE),
        count(history, HistoryEvent.DEAD),
        violations.count(Rule.LOST),
        violations.count(Rule.OVERLAP),
        violations.count(Rule.SWAP),
        fenced,
        duplicates,
        history.tornLines,
        violations.texts());
  }

  private static long count(History history, HistoryEvent event) {
    return history.counts.getOrDefault(event, 0L);
  }

  private static void judgeLoss(History history, Violations violations) {
    history.partitions.forEach(
        (number, partition) ->
            partition.accepted().stream()
                .filter(at -> partition.firstTerminal(at) == PartitionTable.NEVER)
                .forEach(
                    at ->
                        violations.add(
                            Rule.LOST,
                            "the task at "
                                + number
                                + "/"
                                + at
                                + " was accepted and has "
                                + (partition.firstRun(at) < 0 ? "no run" : "no terminal record"))));
    history.delayed.forEach(
        id ->
            violations.add(
                Rule.LOST, "the delayed task " + id + " was accepted and has no terminal record"));
    history.rejectedButStarted.forEach(
        id -> violations.add(Rule.REJECTED_BUT_STARTED, "the task " + id));
    history.endedWithoutStart.forEach(text -> violations.add(Rule.ENDED_WITHOUT_START, text));
  }
}
