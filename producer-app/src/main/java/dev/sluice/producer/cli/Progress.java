// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** One line on standard error that is written over and over, where that is a terminal. */
final class Progress {
  private static final int BAR_CHARS = 30;

  private final PrintWriter err;
  private final boolean shown;

  Progress(PrintWriter err) {
    this(err, standardErrorIsATerminal());
  }

  Progress(PrintWriter err, boolean shown) {
    this.err = err;
    this.shown = shown;
  }

  void show(Tally tally, double seconds) {
    if (shown) {
      long accepted = tally.accepted.get();
      err.print(
          String.format(
              Locale.ROOT,
              "\r%d accepted, %d bad, %.0f/s ",
              accepted,
              tally.bad.get(),
              accepted / Math.max(0.001, seconds)));
      err.flush();
    }
  }

  /** The same, where the ends of tasks are waited for. */
  void show(Tally tally, ResultLines results) {
    if (shown) {
      long accepted = Math.max(1, tally.accepted.get());
      long ended = results.done() + results.failed();
      int filled = (int) Math.min(BAR_CHARS, ended * BAR_CHARS / accepted);
      err.print(
          String.format(
              Locale.ROOT,
              "\r[%s%s] %d of %d, %d failed ",
              "#".repeat(filled),
              ".".repeat(BAR_CHARS - filled),
              ended,
              tally.accepted.get(),
              results.failed()));
      err.flush();
    }
  }

  void end() {
    if (shown) {
      err.println();
      err.flush();
    }
  }

  private static boolean standardErrorIsATerminal() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      // Not Linux: the console is there where input and output are terminals.
      return System.console() != null;
    }
  }
}
