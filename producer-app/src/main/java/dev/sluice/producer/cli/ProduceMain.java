// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import dev.sluice.cli.Commands;

/** The command {@code produce} as a program. */
public final class ProduceMain {
  private ProduceMain() {}

  /** Runs it. */
  public static void main(String[] args) {
    System.exit(Commands.run(new ProduceCommand(), args));
  }
}
