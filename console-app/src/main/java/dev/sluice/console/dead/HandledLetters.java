// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which letters of one dead-letter topic were run again or purged, as a bit for each offset. The
 * bits of 8,192 offsets are one keyed record of a compacted topic, which is written in the same
 * transaction as the tasks themselves: so a letter is handled exactly when its task is in the
 * queue, wherever the tool was killed. A kilobyte for 8,192 letters; not thread-safe.
 */
final class HandledLetters {
  /** How many letters one record covers. */
  static final int CHUNK = 8_192;

  private static final byte VERSION = 1;

  private final String prefix;
  private final Map<Id, BitSet> chunks = new HashMap<>();
  private final Set<Id> changed = new TreeSet<>();

  private record Id(int partition, long chunk) implements Comparable<Id> {
    static Id of(int partition, long offset) {
      return new Id(partition, offset / CHUNK);
    }

    @Override
    public int compareTo(Id other) {
      return partition != other.partition
          ? Integer.compare(partition, other.partition)
          : Long.compare(chunk, other.chunk);
    }
  }

  /**
   * @param topic of the dead letters
   * @param topicId its id, so that a topic made anew under the same name begins with none handled
   */
  HandledLetters(String topic, String topicId) {
    this.prefix = "dead/" + topic + "/" + topicId + "/";
  }

  /** Reads one record; those of others are skipped. */
  void read(byte @Nullable [] key, byte @Nullable [] value) {
    if (key == null) {
      return;
    }
    String text = new String(key, UTF_8);
    if (!text.startsWith(prefix)) {
      return;
    }
    Id id = id(text.substring(prefix.length()));
    if (id == null) {
      return;
    }
    if (value == null) {
      chunks.remove(id);
    } else if (value.length >= 1 && value.length <= 1 + CHUNK / 8 && value[0] == VERSION) {
      chunks.put(id, BitSet.valueOf(Arrays.copyOfRange(value, 1, value.length)));
    }
  }

  private static @Nullable Id id(String text) {
    int slash = text.indexOf('/');
    try {
      return slash < 0
          ? null
          : new Id(
              Integer.parseInt(text.substring(0, slash)),
              Long.parseLong(text.substring(slash + 1)));
    } catch (NumberFormatException e) {
      return null;
    }
  }

  boolean contains(int partition, long offset) {
    BitSet bits = chunks.get(Id.of(partition, offset));
    return bits != null && bits.get((int) (offset % CHUNK));
  }

  void add(int partition, long offset) {
    Id id = Id.of(partition, offset);
    chunks.computeIfAbsent(id, i -> new BitSet(CHUNK)).set((int) (offset % CHUNK));
    changed.add(id);
  }

  /** The records to write for what was added since the last call. */
  Map<byte[], byte[]> changes() {
    Map<byte[], byte[]> records = new LinkedHashMap<>();
    for (Id id : changed) {
      byte[] bits = chunks.getOrDefault(id, new BitSet()).toByteArray();
      byte[] value = new byte[1 + bits.length];
      value[0] = VERSION;
      System.arraycopy(bits, 0, value, 1, bits.length);
      records.put((prefix + id.partition() + "/" + id.chunk()).getBytes(UTF_8), value);
    }
    changed.clear();
    return records;
  }

  /**
   * The keys of the records that cover nothing that is still there; they are forgotten here.
   *
   * @param beginnings the first offset that each partition still has
   */
  Set<byte[]> outdated(Map<Integer, Long> beginnings) {
    Set<byte[]> keys = new java.util.LinkedHashSet<>();
    chunks
        .keySet()
        .removeIf(
            id -> {
              boolean gone =
                  (id.chunk() + 1) * CHUNK <= beginnings.getOrDefault(id.partition(), 0L);
              if (gone) {
                keys.add((prefix + id.partition() + "/" + id.chunk()).getBytes(UTF_8));
              }
              return gone;
            });
    return keys;
  }
}
