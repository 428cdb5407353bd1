// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

/** Payload objects to bytes and back. Implementations are thread-safe. */
public interface PayloadCodec {
  /** The media type of what {@link #encode} writes, for the {@code content-type} header. */
  String contentType(Object payload);

  /**
   * The bytes of a payload; a {@code byte[]} is taken as it is.
   *
   * @throws dev.sluice.PermanentTaskException if the object cannot be encoded
   */
  byte[] encode(Object payload);

  /**
   * The payload in its type; {@code byte[].class} gives the bytes as they are.
   *
   * @throws dev.sluice.PermanentTaskException if the bytes are not such a payload
   */
  <T> T decode(byte[] bytes, Class<T> type);
}
