// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The id of a task in 128 bits. Of SHA-256, because two ids that fell together would cost a task,
 * and ids may come from somebody who wants that. Not thread-safe.
 */
public final class TaskDigest {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final MessageDigest sha256;
  private long high;
  private long low;

  public TaskDigest() {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Each Java platform has SHA-256", e);
    }
  }

  /** Digests an id; {@link #high} and {@link #low} are of the last one. */
  public void of(byte[] id) {
    byte[] digest = sha256.digest(id);
    high = (long) LONG.get(digest, 0);
    low = (long) LONG.get(digest, Long.BYTES);
  }

  /** The first half. */
  public long high() {
    return high;
  }

  /** The second half. */
  public long low() {
    return low;
  }
}
