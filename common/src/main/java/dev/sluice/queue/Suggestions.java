// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import java.util.Collection;
import java.util.Locale;

/** What a mistyped word may have meant. */
public final class Suggestions {
  private Suggestions() {}

  /** A sentence with the nearest known word, or with all of them. */
  public static String forWord(String word, Collection<String> known) {
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(word.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    if (best != null && least <= Math.max(2, word.length() / 3)) {
      return "Did you mean '" + best + "'?";
    }
    return "Known are: " + String.join(", ", known) + ".";
  }

  /** Insertions, deletions and replacements between two words (Levenshtein 1966). */
  static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
