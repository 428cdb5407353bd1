// SPDX-License-Identifier: Apache-2.0
package dev.sluice.cli;

/** What the commands exit with. */
public final class ExitCodes {
  public static final int DONE = 0;
  public static final int FAILED = 1;
  public static final int USAGE = 2;
  public static final int CHECK_FAILED = 3;
  public static final int NOT_FOUND = 4;
  public static final int NO_BROKER = 69;
  public static final int QUEUE_FULL = 75;
  public static final int TIME_OUT = 124;

  private ExitCodes() {}
}
