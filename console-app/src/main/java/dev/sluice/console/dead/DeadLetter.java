// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * One record of a dead-letter topic. Reading it never fails: what another program wrote there has
 * empty texts where Sluice's headers would be. Immutable.
 *
 * @param record as it was read
 */
public record DeadLetter(ConsumerRecord<byte[], byte[]> record) {
  private static final String UNKNOWN = "unknown";

  /** Where it is: {@code partition/offset}. */
  public String place() {
    return record.partition() + "/" + record.offset();
  }

  /** The id of its task. */
  public String id() {
    return TaskCodec.id(record);
  }

  /** The type of its task; empty if it has none. */
  public String type() {
    return TaskCodec.type(record, "");
  }

  /** The ordering key as UTF-8 text, or null. */
  public @Nullable String key() {
    byte[] key = record.key();
    return key == null ? null : new String(key, UTF_8);
  }

  /** The class of what the handler threw last, or {@code unknown}. */
  public String errorType() {
    return text(TaskHeaders.ERROR_TYPE).orElse(UNKNOWN);
  }

  /** Why it is here; empty if nobody said. */
  public String errorMessage() {
    return text(TaskHeaders.ERROR_MESSAGE).orElse("");
  }

  /** How many attempts there were; 0 if nobody said. */
  public int attempts() {
    return (int) Math.min(Integer.MAX_VALUE, number(TaskHeaders.ERROR_ATTEMPTS).orElse(0L));
  }

  /** When it failed last, in epoch milliseconds: as its header says, or when it was written. */
  public long lastAtMillis() {
    return number(TaskHeaders.ERROR_LAST_AT).orElse(record.timestamp());
  }

  /** {@code topic/partition/offset} of the record that failed, if it is known. */
  public Optional<String> origin() {
    return text(TaskHeaders.ORIGIN);
  }

  private Optional<String> text(String header) {
    return Optional.ofNullable(TaskCodec.text(record.headers(), header));
  }

  private Optional<Long> number(String header) {
    return text(header)
        .flatMap(
            value -> {
              try {
                return Optional.of(Math.max(0, Long.parseLong(value)));
              } catch (NumberFormatException e) {
                return Optional.empty();
              }
            });
  }
}
