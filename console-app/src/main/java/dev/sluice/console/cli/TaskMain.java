// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import dev.sluice.cli.Commands;

/** Runs {@code sluice task}. */
public final class TaskMain {
  private TaskMain() {}

  /** Exits with the code of the command. */
  public static void main(String[] args) {
    System.exit(Commands.run(new TaskCommand(), args));
  }
}
