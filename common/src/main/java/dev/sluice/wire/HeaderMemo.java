// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * The headers of one name that were made lately: a producer's tasks have few types, and encoding
 * the same text for each costs more than finding it. Bounded; thread-safe. Headers are shared
 * between records and must not be changed.
 */
final class HeaderMemo {
  private static final int ENTRIES = 32;
  private static final int CHARS_MAX = 200;

  private final String name;
  private final AtomicReferenceArray<@Nullable Entry> entries = new AtomicReferenceArray<>(ENTRIES);

  private record Entry(String value, Header header) {}

  HeaderMemo(String name) {
    this.name = name;
  }

  /** The header with this value. */
  Header of(String value) {
    if (value.length() > CHARS_MAX) {
      return made(value);
    }
    int at = Math.floorMod(value.hashCode(), ENTRIES);
    Entry present = entries.get(at);
    if (present == null || !present.value().equals(value)) {
      present = new Entry(value, made(value));
      entries.set(at, present);
    }
    return present.header();
  }

  private Header made(String value) {
    return new RecordHeader(name, value.getBytes(UTF_8));
  }
}
