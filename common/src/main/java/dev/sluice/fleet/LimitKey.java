// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

/**
 * The name of one fleet limit: its kind, and what it covers. Immutable.
 *
 * @param kind rate or concurrency
 * @param scope {@code queue/NAME}, {@code handler/QUEUE/TYPE} or {@code destination/NAME}
 */
public record LimitKey(Kind kind, String scope) {
  private static final int SCOPE_MAX = 600;

  /** What a limit counts. */
  public enum Kind {
    /** Starts per second. */
    RATE,
    /** Tasks that run at once. */
    CONCURRENCY
  }

  public LimitKey {
    if (scope.isEmpty() || scope.length() > SCOPE_MAX) {
      throw new IllegalArgumentException("The scope of a fleet limit has 1 to 600 characters");
    }
  }

  /** Of all tasks of a queue. */
  public static LimitKey ofQueue(Kind kind, String queue) {
    return new LimitKey(kind, "queue/" + queue);
  }

  /** Of the tasks of one type of a queue. */
  public static LimitKey ofHandler(Kind kind, String queue, String type) {
    return new LimitKey(kind, "handler/" + queue + "/" + type);
  }

  /** Of all tasks that go to one destination, whatever their queue. */
  public static LimitKey ofDestination(Kind kind, String destination) {
    return new LimitKey(kind, "destination/" + destination);
  }

  /** As in the records: {@code rate:queue/emails}. */
  public String text() {
    return (kind == Kind.RATE ? "rate:" : "concurrency:") + scope;
  }

  /**
   * The key of a text.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static LimitKey parse(String text) {
    if (text.startsWith("rate:")) {
      return new LimitKey(Kind.RATE, text.substring(5));
    }
    if (text.startsWith("concurrency:")) {
      return new LimitKey(Kind.CONCURRENCY, text.substring(12));
    }
    throw new IllegalArgumentException("'" + text + "' is no fleet limit");
  }

  @Override
  public String toString() {
    return text();
  }
}
