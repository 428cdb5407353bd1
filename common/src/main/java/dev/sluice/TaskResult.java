// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/** How a task ended, and what its handler gave as its result. Immutable. */
public final class TaskResult {
  /** How a task ended. */
  public enum Outcome {
    /** Its handler returned. */
    DONE,
    /** It failed for good, and is among the dead letters. */
    DEAD,
    /** Its deadline passed before it was run. */
    EXPIRED,
    /** It was cancelled before it was run. */
    CANCELLED
  }

  /** Makes objects of payloads. */
  @FunctionalInterface
  public interface Decoder {
    /** The object in these bytes. */
    <T> T decode(byte[] bytes, Class<T> type);
  }

  private final String id;
  private final Outcome outcome;
  private final int attempts;
  private final byte[] payload;
  private final Decoder decoder;
  private final @Nullable String errorType;
  private final @Nullable String errorMessage;

  /**
   * @param attempts how many were made; 0 where none began
   * @param payload of the result; no bytes where the handler gave none
   */
  public TaskResult(
      String id,
      Outcome outcome,
      int attempts,
      byte[] payload,
      Decoder decoder,
      @Nullable String errorType,
      @Nullable String errorMessage) {
    this.id = requireNonNull(id, "id");
    this.outcome = requireNonNull(outcome, "outcome");
    this.attempts = attempts;
    this.payload = requireNonNull(payload, "payload");
    this.decoder = requireNonNull(decoder, "decoder");
    this.errorType = errorType;
    this.errorMessage = errorMessage;
  }

  /** The id of the task. */
  public String id() {
    return id;
  }

  /** How it ended. */
  public Outcome outcome() {
    return outcome;
  }

  /** How many attempts were made, the last one included; 0 where none began. */
  public int attempts() {
    return attempts;
  }

  /** What the handler gave, as bytes; none where it gave nothing. Not a copy. */
  public byte[] payload() {
    return payload;
  }

  /**
   * What the handler gave, as an object.
   *
   * @throws TaskFailedException if the task did not end by its handler
   * @throws PermanentTaskException if the bytes are not such an object
   */
  public <T> T value(Class<T> type) {
    return decoder.decode(orThrow().payload, type);
  }

  /** The class of what the handler threw last; null unless the task failed for good. */
  public @Nullable String errorType() {
    return errorType;
  }

  /** What that said; null unless the task failed for good. */
  public @Nullable String errorMessage() {
    return errorMessage;
  }

  /**
   * This, if the handler has returned.
   *
   * @throws TaskFailedException if the task ended in another way
   */
  public TaskResult orThrow() {
    if (outcome != Outcome.DONE) {
      throw new TaskFailedException(this);
    }
    return this;
  }

  @Override
  public String toString() {
    return "TaskResult[id="
        + id
        + ", outcome="
        + outcome
        + ", attempts="
        + attempts
        + (errorType == null ? "" : ", error=" + errorType + ": " + errorMessage)
        + "]";
  }
}
