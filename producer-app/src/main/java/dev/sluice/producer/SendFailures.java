// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.SluiceException;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.producer.TaskRefusedException.Reason;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;

/**
 * What the failure of a send says about the record. Before the client has taken the record into its
 * buffer, every failure is a refusal. After that only an answer of the broker that says "no" is;
 * everything else (time-outs, lost connections, a client that is closed) leaves it open whether an
 * attempt was written, and {@code delivery.timeout.ms} also ends records that were never sent,
 * which cannot be told from those whose answer was lost.
 */
final class SendFailures {
  private SendFailures() {}

  /** The failure of a record that never left {@code send()}. */
  static SluiceException beforeTaken(String id, String topic, Exception failure) {
    Reason reason = answer(failure);
    if (reason == null) {
      reason = reasonBeforeTaken(failure);
    }
    return refused(reason, id, topic, failure);
  }

  private static Reason reasonBeforeTaken(Exception failure) {
    if (failure instanceof InterruptException) {
      return Reason.INTERRUPTED;
    }
    if (failure instanceof TimeoutException) {
      return failure.getCause() instanceof UnknownTopicOrPartitionException
          ? Reason.NO_TOPIC
          : Reason.NO_BROKER;
    }
    if (failure instanceof SerializationException) {
      return Reason.INVALID;
    }
    if (failure instanceof AuthenticationException) {
      return Reason.NOT_AUTHORIZED;
    }
    // "Cannot perform operation after producer has been closed", "closed while send in progress".
    return Reason.CLOSED;
  }

  /** The failure of a record that the client had taken. */
  static SluiceException afterTaken(String id, String topic, Exception failure) {
    Reason reason = answer(failure);
    if (reason != null) {
      return refused(reason, id, topic, failure);
    }
    return new UnknownOutcomeException(
        "The fate of task "
            + id
            + " in topic "
            + topic
            + " is not known: "
            + text(failure)
            + ". To try again, submit it under the same id.",
        failure);
  }

  /** The reason where the failure is a broker's "no", else null. */
  private static @Nullable Reason answer(Exception failure) {
    if (failure instanceof RecordTooLargeException) {
      return Reason.TOO_LARGE;
    }
    if (failure instanceof InvalidTopicException) {
      return Reason.NO_TOPIC;
    }
    if (failure instanceof AuthorizationException) {
      return Reason.NOT_AUTHORIZED;
    }
    if (failure instanceof InvalidRecordException
        || failure instanceof UnsupportedForMessageFormatException
        || failure instanceof UnsupportedVersionException) {
      return Reason.INVALID;
    }
    return null;
  }

  private static TaskRefusedException refused(
      Reason reason, String id, String topic, Exception failure) {
    return new TaskRefusedException(
        reason,
        "Task "
            + id
            + " was not published to topic "
            + topic
            + " ("
            + reason
            + "): "
            + text(failure)
            + ". "
            + remedy(reason),
        failure);
  }

  private static String remedy(Reason reason) {
    return switch (reason) {
      case TOO_LARGE ->
          "Make it smaller, or raise max.request.size and the topic's" + " max.message.bytes.";
      case INVALID -> "Correct the task; the same one will fail again.";
      case NOT_AUTHORIZED -> "Allow the principal to write to the topic.";
      case NO_TOPIC -> "Create the topic or correct its name.";
      case NO_BROKER -> "Check the bootstrap servers and that the brokers are up.";
      case CLOSED, SEALED, INTERRUPTED, WOULD_DEADLOCK -> "It can be submitted again.";
    };
  }

  private static String text(Exception failure) {
    String message = failure.getMessage();
    if (message == null) {
      return failure.getClass().getSimpleName();
    }
    return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
  }
}
