// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

/** A set of hashes, in one array: 16 bytes for each at most. Open addressing, half full at most. */
final class LongSet {
  private long[] slots = new long[64];
  private int size;

  void add(long hash) {
    if (size * 2 >= slots.length) {
      long[] old = slots;
      slots = new long[old.length * 2];
      size = 0;
      for (long each : old) {
        if (each != 0) {
          insert(each);
        }
      }
    }
    insert(nonZero(hash));
  }

  private void insert(long hash) {
    int at = slot(hash);
    while (slots[at] != 0 && slots[at] != hash) {
      at = (at + 1) & (slots.length - 1);
    }
    if (slots[at] == 0) {
      slots[at] = hash;
      size++;
    }
  }

  boolean contains(long hash) {
    long wanted = nonZero(hash);
    int at = slot(wanted);
    while (slots[at] != 0) {
      if (slots[at] == wanted) {
        return true;
      }
      at = (at + 1) & (slots.length - 1);
    }
    return false;
  }

  private int slot(long hash) {
    return (int) (hash >>> 20) & (slots.length - 1);
  }

  private static long nonZero(long hash) {
    return hash == 0 ? 1 : hash;
  }

  int size() {
    return size;
  }

  /** A 64-bit hash of a text, never zero: FNV-1a over its characters, then mixed. */
  static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 32)) * 0x9e3779b97f4a7c15L;
    return nonZero(hash ^ (hash >>> 29));
  }
}
