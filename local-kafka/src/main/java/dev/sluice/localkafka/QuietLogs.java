// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a broker from logging every step: without a configuration, Logback says all it is told. */
public final class QuietLogs {
  private QuietLogs() {}

  /** Lets only errors through, where Logback is what logs; another backend is left as it is. */
  public static void on() {
    try {
      if (LoggerFactory.getLogger("ROOT") instanceof Logger root) {
        root.setLevel(Level.ERROR);
      }
    } catch (NoClassDefFoundError e) {
      // Logback is an optional dependency.
    }
  }
}
