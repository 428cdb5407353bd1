// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import java.util.Iterator;
import org.slf4j.LoggerFactory;

/** Keeps a broker from logging every step: without a configuration, Logback says all it is told. */
public final class QuietLogs {
  /** What logs, with a stack trace, that the last of several brokers has no quorum to leave. */
  private static final String LEAVING = "org.apache.kafka.raft.KafkaRaftClientDriver";

  private QuietLogs() {}

  /**
   * Lets only errors through, and to standard error, where Logback is what logs; another backend is
   * left as it is.
   */
  public static void on() {
    try {
      if (LoggerFactory.getLogger("ROOT") instanceof Logger root) {
        root.setLevel(Level.ERROR);
        toStandardError(root);
      }
    } catch (NoClassDefFoundError e) {
      // Logback is an optional dependency.
    }
  }

  /** For a cluster that ends as a whole, where it is no error that nobody is left. */
  public static void whileBrokersLeave() {
    try {
      if (LoggerFactory.getLogger(LEAVING) instanceof Logger logger) {
        logger.setLevel(Level.OFF);
      }
    } catch (NoClassDefFoundError e) {
      // Logback is an optional dependency.
    }
  }

  /** Standard output is for what a command was asked for. */
  private static void toStandardError(Logger root) {
    Iterator<Appender<ILoggingEvent>> appenders = root.iteratorForAppenders();
    while (appenders.hasNext()) {
      if (appenders.next() instanceof ConsoleAppender<ILoggingEvent> console) {
        console.stop();
        console.setTarget("System.err");
        console.start();
      }
    }
  }
}
