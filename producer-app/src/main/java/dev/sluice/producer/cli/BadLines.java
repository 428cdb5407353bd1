// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.producer.source.SourceLine;
import java.io.PrintWriter;

/** Reports bad lines, the first ones each and all of them as a number. For one thread. */
final class BadLines {
  private static final int SHOWN_MAX = 20;

  private final PrintWriter err;
  private final String file;
  private long count;

  BadLines(PrintWriter err, String file) {
    this.err = err;
    this.file = file;
  }

  void report(SourceLine.Bad bad) {
    count++;
    if (count <= SHOWN_MAX) {
      err.println("sluice produce: " + file + ", line " + bad.number() + ": " + bad.reason());
    } else if (count == SHOWN_MAX + 1) {
      err.println("sluice produce: further bad lines are counted only");
    }
    err.flush();
  }

  long count() {
    return count;
  }
}
