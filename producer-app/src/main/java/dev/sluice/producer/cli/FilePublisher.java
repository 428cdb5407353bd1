// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.QueueFullException;
import dev.sluice.Task;
import dev.sluice.cli.ExitCodes;
import dev.sluice.producer.TaskHandle;
import dev.sluice.producer.TaskProducer;
import dev.sluice.producer.TaskRefusedException;
import dev.sluice.producer.source.SourceLine;
import dev.sluice.producer.source.TaskSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Publishes the lines of a source in their order. It stops at the first line that finds no room in
 * time, or where the brokers do not answer, and names it, so that one can go on from there.
 */
final class FilePublisher {
  private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

  private final TaskProducer producer;
  private final Tally tally;
  private final BadLines badLines;
  private final PrintWriter err;
  private final UnaryOperator<Task<byte[]>> marks;
  private final @Nullable ResultLines results;
  private volatile boolean stopped;
  private int exitCode = ExitCodes.DONE;

  /**
   * @param marks what all its tasks are given beside what their lines say
   * @param results waits for the ends of tasks; null if nobody wants to know
   */
  FilePublisher(
      TaskProducer producer,
      Tally tally,
      BadLines badLines,
      PrintWriter err,
      UnaryOperator<Task<byte[]>> marks,
      @Nullable ResultLines results) {
    this.results = results;
    this.marks = marks;
    this.producer = producer;
    this.tally = tally;
    this.badLines = badLines;
    this.err = err;
  }

  /** Reading ends at the next line. */
  void stop() {
    stopped = true;
  }

  /**
   * Publishes until the end, and returns the exit code so far.
   *
   * @param room how long a line may wait for room; null for as long as it takes
   * @param codeWhenFull the exit code where there was none
   */
  int publish(TaskSource source, Duration room, int codeWhenFull) throws IOException {
    while (!stopped && exitCode == ExitCodes.DONE && tally.firstUnknown() == null) {
      SourceLine line = source.next();
      if (line == null) {
        break;
      }
      if (line instanceof SourceLine.Bad bad) {
        tally.bad.incrementAndGet();
        badLines.report(bad);
      } else if (line instanceof SourceLine.Good good && !stopped) {
        publish(good, room, codeWhenFull);
      }
    }
    return exitCode;
  }

  private void publish(SourceLine.Good good, Duration room, int codeWhenFull) {
    try {
      Task<byte[]> task = marks.apply(good.task());
      TaskHandle handle = producer.submitAsync(task, room);
      var ignored = handle.accepted().whenComplete(tally::ended);
      if (results != null) {
        results.add(handle);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stopped = true;
    } catch (QueueFullException e) {
      tally.refused(e);
      halt(good, codeWhenFull, e);
    } catch (TaskRefusedException e) {
      switch (e.reason()) {
        case TOO_LARGE, INVALID -> {
          tally.refused(e);
          err.println("sluice produce: line " + good.number() + ": " + e.getMessage());
          err.flush();
        }
        case CLOSED, INTERRUPTED -> {
          // It was told to stop, and this line was not published.
          if (!stopped) {
            tally.refused(e);
            halt(good, ExitCodes.FAILED, e);
          }
        }
        case NO_BROKER -> {
          tally.refused(e);
          halt(good, ExitCodes.NO_BROKER, e);
        }
        case NOT_AUTHORIZED, NO_TOPIC, SEALED, WOULD_DEADLOCK -> {
          tally.refused(e);
          halt(good, ExitCodes.FAILED, e);
        }
      }
    }
  }

  private void halt(SourceLine.Good good, int code, Exception e) {
    exitCode = code;
    err.println(
        "sluice produce: stopped at line "
            + good.number()
            + "; it and what follows were not published: "
            + e.getMessage());
    err.flush();
  }

  static Duration forEver() {
    return FOR_EVER;
  }
}
