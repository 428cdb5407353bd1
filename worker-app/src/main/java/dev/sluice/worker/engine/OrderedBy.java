// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static java.lang.invoke.MethodHandles.byteArrayViewVarHandle;

import dev.sluice.Order;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * What a task is ordered by, as a 64-bit hash. Two keys with one hash are worked one after the
 * other as if they were one, which costs concurrency once in 2^32 keys and never order; the seed,
 * drawn anew per assignment, keeps anyone from making them collide.
 *
 * @param ordered whether there is an order at all
 * @param hash equal for what must not overlap
 */
public record OrderedBy(boolean ordered, long hash) {
  private static final VarHandle LONGS =
      byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final OrderedBy NOTHING = new OrderedBy(false, 0);
  private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

  /** What a record with that key is ordered by in that partition. */
  public static OrderedBy of(Order order, PartitionState partition, byte @Nullable [] key) {
    return switch (order) {
      case NONE -> NOTHING;
      case PARTITION -> new OrderedBy(true, partition.seed());
      case KEY -> key == null ? NOTHING : new OrderedBy(true, hash(key, partition.seed()));
    };
  }

  private static long hash(byte[] key, long seed) {
    long h = seed ^ key.length * MULTIPLIER;
    int i = 0;
    for (; i + 8 <= key.length; i += 8) {
      h = mix(h ^ (long) LONGS.get(key, i));
    }
    long rest = 0;
    for (; i < key.length; i++) {
      rest = rest << 8 | key[i] & 0xff;
    }
    return mix(h ^ rest);
  }

  /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
  static long mix(long z) {
    long a = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ a >>> 27) * 0x94D049BB133111EBL;
    return b ^ b >>> 31;
  }
}
