// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.delay.kafka;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Up to where a partition of a shard was served. It is committed with the time of the shard in its
 * metadata.
 *
 * @param offset everything below it is served
 * @param gaps what is served above it, as {@link LedgerCodec} has it; empty for nothing
 */
record ShardPlace(long offset, String gaps) {
  static final ShardPlace BEGINNING = new ShardPlace(0, "");

  private static final String WITHOUT_GAPS = "sluice-delay:1:";
  private static final String WITH_GAPS = "sluice-delay:2:";

  /** What somebody else wrote as metadata says nothing: then the offset alone holds. */
  static ShardPlace read(OffsetAndMetadata committed) {
    String metadata = committed.metadata();
    int gaps = metadata == null ? -1 : metadata.indexOf(':', WITH_GAPS.length());
    boolean has = metadata != null && metadata.startsWith(WITH_GAPS) && gaps > 0;
    return new ShardPlace(committed.offset(), has ? metadata.substring(gaps + 1) : "");
  }

  /** Up to when the shard was served; without a word of it, the own clock decides. */
  static long millis(@Nullable String metadata) {
    if (metadata == null) {
      return Long.MIN_VALUE;
    }
    if (!metadata.startsWith(WITHOUT_GAPS) && !metadata.startsWith(WITH_GAPS)) {
      return Long.MIN_VALUE;
    }
    int end = metadata.indexOf(':', WITH_GAPS.length());
    try {
      return Long.parseLong(
          metadata.substring(WITH_GAPS.length(), end < 0 ? metadata.length() : end));
    } catch (NumberFormatException e) {
      return Long.MIN_VALUE;
    }
  }

  DoneRanges done() {
    return LedgerCodec.decode(offset, gaps).orElse(DoneRanges.NONE);
  }

  OffsetAndMetadata write(long nowMillis) {
    String metadata =
        gaps.isEmpty() ? WITHOUT_GAPS + nowMillis : WITH_GAPS + nowMillis + ":" + gaps;
    return new OffsetAndMetadata(offset, metadata);
  }
}
