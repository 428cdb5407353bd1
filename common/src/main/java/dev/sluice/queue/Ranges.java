// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;

/** Checks that say which setting has which value and what is accepted. */
final class Ranges {
  private Ranges() {}

  static <T extends Comparable<T>> void check(String name, T value, T least, T most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new ConfigException(
          name + " is " + value + "; it must be from " + least + " to " + most);
    }
  }
}
