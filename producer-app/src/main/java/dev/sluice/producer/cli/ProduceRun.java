// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ExitCodes;
import dev.sluice.producer.TaskProducer;
import dev.sluice.producer.http.GatewaySettings;
import dev.sluice.producer.http.HttpGateway;
import dev.sluice.producer.source.SourceFormat;
import dev.sluice.producer.source.SourceLine;
import dev.sluice.producer.source.TaskShape;
import dev.sluice.producer.source.TaskSource;
import dev.sluice.time.Clock;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * One run of the command. Lines are read on a thread of their own, because nothing ends a read of
 * standard input: a stop signal leaves that thread behind.
 */
final class ProduceRun {
  private static final long PROGRESS_MILLIS = 200;
  private static final long STOP_MILLIS = 20_000;
  private static final Duration OUTCOMES = Duration.ofMinutes(11);
  private static final Duration OUTCOMES_WHEN_STOPPED = Duration.ofSeconds(10);

  private final PrintWriter err;
  private final Clock clock;
  private final long startNanos;
  private final Tally tally = new Tally();
  private final CountDownLatch stopAsked = new CountDownLatch(1);
  private int exitCode = ExitCodes.DONE;
  private Duration waited = Duration.ZERO;

  ProduceRun(CommandLine line, Clock clock) {
    this.err = line.getErr();
    this.clock = clock;
    this.startNanos = clock.nanos();
  }

  /** Reads all lines, and reports the bad ones; true where there is none. */
  boolean allGood(Input in, SourceFormat format, TaskShape shape) throws IOException {
    in.spool();
    BadLines badLines = new BadLines(err, in.name());
    try (TaskSource source = format.open(in.open(), shape)) {
      for (SourceLine line = source.next(); line != null; line = source.next()) {
        if (line instanceof SourceLine.Bad bad) {
          badLines.report(bad);
        }
      }
    }
    tally.bad.set(badLines.count());
    if (badLines.count() > 0) {
      err.println("sluice produce: nothing was published, because of --strict");
      err.flush();
    }
    return badLines.count() == 0;
  }

  void publish(
      TaskProducer producer,
      TaskSource source,
      String name,
      Duration room,
      int codeWhenFull,
      UnaryOperator<Task<byte[]>> marks,
      @Nullable ResultLines results,
      Duration resultsMost)
      throws IOException, InterruptedException {
    FilePublisher publisher =
        new FilePublisher(producer, tally, new BadLines(err, name), err, marks, results);
    CountDownLatch read = new CountDownLatch(1);
    CountDownLatch through = new CountDownLatch(1);
    AtomicReference<@Nullable Exception> thrown = new AtomicReference<>();
    AtomicInteger code = new AtomicInteger(ExitCodes.DONE);
    Thread reader =
        new Thread(
            () -> {
              try {
                code.set(publisher.publish(source, room, codeWhenFull));
              } catch (IOException | RuntimeException e) {
                thrown.set(e);
              } finally {
                read.countDown();
              }
            },
            "sluice-source");
    reader.setDaemon(true);
    Commands.onStopSignal(
        () -> {
          publisher.stop();
          stopAsked.countDown();
        },
        through,
        STOP_MILLIS);
    try {
      reader.start();
      Progress progress = new Progress(err);
      while (!read.await(PROGRESS_MILLIS, TimeUnit.MILLISECONDS) && stopAsked.getCount() > 0) {
        show(progress, results);
      }
      boolean stopped = stopAsked.getCount() == 0;
      boolean flushed = producer.flush(stopped ? OUTCOMES_WHEN_STOPPED : OUTCOMES);
      boolean all = results == null || awaitResults(results, resultsMost, progress);
      show(progress, results);
      progress.end();
      if (!flushed) {
        // What has no outcome by now has none when the producer is closed, and is counted then.
        producer.close(Duration.ZERO);
      }
      waited = producer.waitedForQueues();
      judge(code.get(), thrown.get(), stopped);
      if (results != null) {
        judge(results, all);
      }
    } finally {
      through.countDown();
    }
  }

  private void judge(int code, @Nullable Exception thrown, boolean stopped) throws IOException {
    if (thrown != null && !stopped) {
      if (thrown instanceof IOException e) {
        throw new SluiceException("The input cannot be read further: " + e.getMessage(), e);
      }
      throw (RuntimeException) thrown;
    }
    exitCode = code;
    Throwable unknown = tally.firstUnknown();
    if (unknown != null) {
      err.println("sluice produce: the fate of a task is not known: " + unknown.getMessage());
      boolean noAnswer = unknown.getCause() instanceof TimeoutException;
      exitCode = noAnswer ? ExitCodes.NO_BROKER : ExitCodes.FAILED;
    }
    Throwable refusal = tally.firstRefusal();
    if (exitCode == ExitCodes.DONE && refusal != null) {
      err.println("sluice produce: a task was refused: " + refusal.getMessage());
      exitCode = ExitCodes.FAILED;
    }
    if (exitCode == ExitCodes.DONE && tally.bad.get() > 0) {
      err.println("sluice produce: " + tally.bad.get() + " bad lines were not published");
      exitCode = ExitCodes.FAILED;
    }
    err.flush();
  }

  private void show(Progress progress, @Nullable ResultLines results) {
    if (results == null) {
      progress.show(tally, seconds());
    } else {
      progress.show(tally, results);
    }
  }

  /** Until all have ended, the time is up, or somebody wants this to stop. */
  private boolean awaitResults(ResultLines results, Duration most, Progress progress)
      throws InterruptedException {
    long left = most.toMillis();
    while (!results.await(Math.min(PROGRESS_MILLIS, Math.max(0, left)))) {
      progress.show(tally, results);
      left -= PROGRESS_MILLIS;
      if (left <= 0 || stopAsked.getCount() == 0) {
        return false;
      }
    }
    return true;
  }

  private void judge(ResultLines results, boolean all) {
    boolean stopped = stopAsked.getCount() == 0;
    err.println(
        "sluice produce: "
            + results.text(
                all ? null : stopped ? "stopped; the tasks go on" : "the time is up; they go on"));
    err.flush();
    if (exitCode == ExitCodes.DONE && (results.failed() > 0 || results.unknown() > 0)) {
      exitCode = ExitCodes.FAILED;
    } else if (exitCode == ExitCodes.DONE && !all && !stopped) {
      exitCode = ExitCodes.TIME_OUT;
    }
  }

  void serve(TaskProducer producer, GatewaySettings settings) throws InterruptedException {
    CountDownLatch through = new CountDownLatch(1);
    try (HttpGateway gateway = new HttpGateway(producer, settings, clock)) {
      err.println("sluice produce: listening on port " + gateway.port());
      err.flush();
      Commands.onStopSignal(stopAsked::countDown, through, STOP_MILLIS);
      stopAsked.await();
      boolean idle = gateway.awaitIdle(OUTCOMES_WHEN_STOPPED);
      if (!idle) {
        err.println("sluice produce: requests were still open and were ended");
        err.flush();
      }
    } finally {
      through.countDown();
    }
  }

  /** What the command exits with. */
  int exitCode() {
    return exitCode;
  }

  Summary summary() {
    return new Summary(
        tally.accepted.get(),
        tally.rejected.get(),
        tally.unknown.get(),
        tally.bad.get(),
        seconds(),
        waited.toNanos() / 1e9);
  }

  private double seconds() {
    return (clock.nanos() - startNanos) / 1e9;
  }
}
