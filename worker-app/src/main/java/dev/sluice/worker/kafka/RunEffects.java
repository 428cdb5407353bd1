// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.PermanentTaskException;
import dev.sluice.queue.ChildrenDefinition;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * What one attempt has asked to be published with the end of its task. Most attempts ask for
 * nothing and have none of these. Not thread-safe.
 */
final class RunEffects {
  private static final int CHILDREN_MAX = 1_000;
  private static final long BYTES_MAX = 8L << 20;

  private final List<ProducerRecord<byte[], byte[]>> children = new ArrayList<>();
  private long bytes;
  private int own;
  private byte @Nullable [] result;
  private @Nullable String resultType;
  private @Nullable ProducerRecord<byte[], byte[]> reply;

  /**
   * Another task is to fit.
   *
   * @throws IllegalStateException if it does not
   */
  void requireRoom(String parent) {
    if (children.size() >= CHILDREN_MAX || bytes > BYTES_MAX) {
      throw new IllegalStateException(
          "Task "
              + parent
              + " has submitted "
              + children.size()
              + " tasks of "
              + bytes
              + " bytes: more than "
              + CHILDREN_MAX
              + " or 8 MiB would have to be kept until it is done. Submit tasks that submit the"
              + " rest.");
    }
  }

  int children() {
    return children.size();
  }

  /**
   * Another one for its own queue is to be submitted.
   *
   * @throws PermanentTaskException if it may not
   */
  void requireChild(String parent, ChildrenDefinition most) {
    if (most.counted() && own >= most.perTask()) {
      throw new PermanentTaskException(
          "Task "
              + parent
              + " submits more than "
              + most.perTask()
              + " tasks into its own queue (maxChildren). Submit tasks that submit the rest, or"
              + " raise maxChildren");
    }
  }

  /** How many of them are for the queue of their parent. */
  int own() {
    return own;
  }

  void add(ProducerRecord<byte[], byte[]> child, boolean ofOwnQueue) {
    children.add(child);
    own += ofOwnQueue ? 1 : 0;
    bytes += ChildTasks.bytes(child);
  }

  void result(byte[] value, String contentType) {
    result = value;
    resultType = contentType;
  }

  byte @Nullable [] result() {
    return result;
  }

  @Nullable String resultType() {
    return resultType;
  }

  /** What tells the submitter how the task ended. */
  void reply(ProducerRecord<byte[], byte[]> record) {
    reply = record;
  }

  boolean isReply(ProducerRecord<byte[], byte[]> record) {
    return record == reply;
  }

  /** All of it, the submitted tasks in their order. */
  List<ProducerRecord<byte[], byte[]>> records() {
    ProducerRecord<byte[], byte[]> last = reply;
    if (last == null) {
      return children;
    }
    List<ProducerRecord<byte[], byte[]>> all = new ArrayList<>(children);
    all.add(last);
    return all;
  }
}
