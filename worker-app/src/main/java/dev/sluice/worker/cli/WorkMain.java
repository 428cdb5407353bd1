// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.cli;

import dev.sluice.cli.Commands;

/** The command {@code work} as a program. */
public final class WorkMain {
  private WorkMain() {}

  /** Runs it. */
  public static void main(String[] args) {
    System.exit(Commands.run(new WorkCommand(), args));
  }
}
