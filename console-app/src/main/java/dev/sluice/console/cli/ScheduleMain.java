// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import dev.sluice.cli.Commands;

/** Runs {@code sluice schedule}. */
public final class ScheduleMain {
  private ScheduleMain() {}

  /** Exits with the code of the command. */
  public static void main(String[] args) {
    System.exit(Commands.run(new ScheduleCommand(), args));
  }
}
