// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import java.security.SecureRandom;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * A generator for all threads that makes none wait: each has its own child of a root that was
 * seeded by the operating system, so that no two processes of a fleet draw the same ids.
 */
final class SplitRandom implements RandomGenerator {
  private final SplittableRandom root = new SplittableRandom(new SecureRandom().nextLong());
  private final ThreadLocal<SplittableRandom> children = ThreadLocal.withInitial(this::child);

  private SplittableRandom child() {
    synchronized (root) {
      return root.split();
    }
  }

  @Override
  public long nextLong() {
    return children.get().nextLong();
  }
}
