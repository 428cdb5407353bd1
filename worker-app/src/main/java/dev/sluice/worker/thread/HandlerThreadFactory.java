// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.thread;

import java.lang.reflect.Method;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes handler threads: virtual where the running JVM has good ones, else platform threads. */
public final class HandlerThreadFactory {
  /** Since this version a virtual thread that blocks in a monitor does not hold its carrier. */
  private static final int FIRST_GOOD_VERSION = 24;

  private HandlerThreadFactory() {}

  /** Whether {@link #preferred} makes virtual threads on this JVM. */
  public static boolean virtualByDefault() {
    return Runtime.version().feature() >= FIRST_GOOD_VERSION;
  }

  /** Virtual threads on a JVM of version 24 or later, platform threads before. */
  public static ThreadFactory preferred(String name) {
    return virtualByDefault() ? virtual(name) : platform(name);
  }

  /** Platform threads, which are daemons: a hung handler must not keep the process alive. */
  public static ThreadFactory platform(String name) {
    AtomicInteger number = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /**
   * Virtual threads; found by reflection, since the code is compiled for Java 17.
   *
   * @throws IllegalStateException if this JVM has none
   */
  public static ThreadFactory virtual(String name) {
    try {
      Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
      Class<?> type = Class.forName("java.lang.Thread$Builder");
      Method named = type.getMethod("name", String.class, long.class);
      builder = named.invoke(builder, name + "-", 1L);
      return (ThreadFactory) type.getMethod("factory").invoke(builder);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(
          "Java " + Runtime.version().feature() + " has no virtual threads; use platform threads",
          e);
    }
  }
}
