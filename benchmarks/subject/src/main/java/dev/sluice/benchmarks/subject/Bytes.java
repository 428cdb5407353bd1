// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.subject;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers in the first bytes of keys and payloads. */
public final class Bytes {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private Bytes() {}

  /** Reads a number. */
  public static int getInt(byte[] bytes, int at) {
    return (int) INTS.get(bytes, at);
  }

  /** Reads a number. */
  public static long getLong(byte[] bytes, int at) {
    return (long) LONGS.get(bytes, at);
  }

  /** Writes a number. */
  public static void putInt(byte[] bytes, int at, int value) {
    INTS.set(bytes, at, value);
  }

  /** Writes a number. */
  public static void putLong(byte[] bytes, int at, long value) {
    LONGS.set(bytes, at, value);
  }
}
