// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import dev.sluice.cli.Commands;

/** Runs {@code sluice dead}. */
public final class DeadMain {
  private DeadMain() {}

  /** Exits with the code of the command. */
  public static void main(String[] args) {
    System.exit(Commands.run(new DeadCommand(), args));
  }
}
