// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * What became of the tasks of a batch, counted; the records of a batch are added up. Each is
 * written in one transaction with what it counts, so that the sum of any beginning of them is true.
 * Immutable.
 *
 * @param added tasks that were added by whoever fills the batch
 * @param submitted tasks that tasks of the batch have submitted into it
 * @param done tasks whose handler has returned
 * @param failed tasks that ended in another way: dead letters, and those that were not run because
 *     they had expired, were cancelled, or were the second of their id
 * @param closed whether nothing more is added
 */
public record BatchCount(long added, long submitted, long done, long failed, boolean closed) {
  /** Nothing. */
  public static final BatchCount NONE = new BatchCount(0, 0, 0, 0, false);

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Both together. */
  public BatchCount plus(BatchCount other) {
    return new BatchCount(
        added + other.added,
        submitted + other.submitted,
        done + other.done,
        failed + other.failed,
        closed || other.closed);
  }

  /** Tasks that have not ended. */
  public long pending() {
    return added + submitted - done - failed;
  }

  /** Whether nothing more is added, and all that was has ended. */
  public boolean isOver() {
    return closed && pending() == 0;
  }

  /**
   * The record of this count.
   *
   * @param topic of the counts
   * @param batch its name
   */
  public ProducerRecord<byte[], byte[]> toRecord(String topic, String batch) {
    ObjectNode node = JSON.createObjectNode();
    node.put("v", 1);
    put(node, "added", added);
    put(node, "submitted", submitted);
    put(node, "done", done);
    put(node, "failed", failed);
    if (closed) {
      node.put("closed", true);
    }
    try {
      return new ProducerRecord<>(topic, batch.getBytes(UTF_8), JSON.writeValueAsBytes(node));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of numbers cannot be written", e);
    }
  }

  private static void put(ObjectNode node, String name, long count) {
    if (count != 0) {
      node.put(name, count);
    }
  }

  /** What a record counts; nothing where it is none of these. */
  public static BatchCount read(byte @Nullable [] value) {
    if (value == null) {
      return NONE;
    }
    try {
      JsonNode node = JSON.readTree(value);
      if (node == null || node.path("v").asInt() != 1) {
        return NONE;
      }
      return new BatchCount(
          node.path("added").asLong(),
          node.path("submitted").asLong(),
          node.path("done").asLong(),
          node.path("failed").asLong(),
          node.path("closed").asBoolean());
    } catch (IOException e) {
      return NONE;
    }
  }
}
