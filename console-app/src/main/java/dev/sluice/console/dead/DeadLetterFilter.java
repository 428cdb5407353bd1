// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which dead letters are meant: those for which all that is said holds. Immutable.
 *
 * @param type the type of the task
 * @param errorType the class of the error, with its package or without
 * @param key the ordering key
 * @param sinceMillis failed last at this time or later, in epoch milliseconds
 * @param untilMillis failed last before this time, in epoch milliseconds
 * @param attemptsMin had at least so many attempts
 * @param place {@code partition/offset}, or the id of the task
 */
public record DeadLetterFilter(
    Optional<String> type,
    Optional<String> errorType,
    Optional<String> key,
    long sinceMillis,
    long untilMillis,
    int attemptsMin,
    Optional<String> place)
    implements Predicate<DeadLetter> {

  /** All of them. */
  public static final DeadLetterFilter ALL =
      new DeadLetterFilter(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Long.MIN_VALUE,
          Long.MAX_VALUE,
          0,
          Optional.empty());

  /** The one at {@code partition/offset}, or those of the task with that id. */
  public static DeadLetterFilter at(String place) {
    return new DeadLetterFilter(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        0,
        Optional.of(place));
  }

  @Override
  public boolean test(DeadLetter letter) {
    long at = letter.lastAtMillis();
    return type.map(letter.type()::equals).orElse(true)
        && errorType.map(wanted -> isClass(letter.errorType(), wanted)).orElse(true)
        && key.map(wanted -> wanted.equals(letter.key())).orElse(true)
        && at >= sinceMillis
        && at < untilMillis
        && letter.attempts() >= attemptsMin
        && place
            .map(wanted -> wanted.equals(letter.place()) || wanted.equals(letter.id()))
            .orElse(true);
  }

  private static boolean isClass(String name, String wanted) {
    return name.equals(wanted) || name.endsWith("." + wanted) || name.endsWith("$" + wanted);
  }
}
