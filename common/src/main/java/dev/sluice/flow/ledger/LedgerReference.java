// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Commit metadata that only says where the gaps are written, because they did not fit: the letters
 * {@code R1}, a partition and an offset of the ledger's topic, and a CRC-32C of these and of the
 * position.
 *
 * @param partition of the ledger's topic
 * @param offset in it
 */
public record LedgerReference(int partition, long offset) {
  private static final String VERSION = "R1";
  private static final int CHARS_MAX = 64;

  /** The metadata for a commit of this position. */
  public String metadata(long position) {
    String text = VERSION + partition + ":" + offset;
    return text + ":" + checksum(position, text);
  }

  /**
   * Reads metadata.
   *
   * @param position the offset that was committed with it
   * @return empty if it is no such reference, or damaged
   */
  public static Optional<LedgerReference> of(long position, String metadata) {
    if (!metadata.startsWith(VERSION) || metadata.length() > CHARS_MAX) {
      return Optional.empty();
    }
    String[] parts = metadata.substring(VERSION.length()).split(":", -1);
    try {
      LedgerReference read =
          new LedgerReference(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
      return read.metadata(position).equals(metadata) ? Optional.of(read) : Optional.empty();
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
  }

  private static String checksum(long position, String text) {
    CRC32C crc = new CRC32C();
    crc.update((position + "/" + text).getBytes(US_ASCII));
    return Long.toHexString(crc.getValue());
  }
}
