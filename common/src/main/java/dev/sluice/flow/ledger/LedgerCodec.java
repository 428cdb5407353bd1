// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Gaps in the commit metadata, which a stock broker bounds to 4,096 bytes.
 *
 * <p>From the committed position on, offsets are alternately undone and done, in runs. The lengths
 * of the runs are written one after the other as Elias gamma codes [1]: an alternating pattern then
 * takes one bit per offset, like a bitmap, and a run of two million takes 41 bits, like a run
 * length code; there is no need to choose. The first run is undone. The bits are followed by a
 * CRC-32C of themselves and of the position, and the whole is Base64 behind the letters {@code S1},
 * where 1 is the version. What does not begin so, or does not fit its checksum, was written by
 * someone else or damaged: it is ignored, and the committed position alone holds.
 *
 * <p>[1] P. Elias, Universal codeword sets and representations of the integers, 1975.
 */
public final class LedgerCodec {
  private static final String VERSION = "S1";
  private static final int CHECKSUM_BYTES = 4;

  /** More runs than any metadata of the largest accepted size can hold. */
  private static final int METADATA_CHARS_MAX = 1 << 20;

  private LedgerCodec() {}

  /**
   * Reads metadata.
   *
   * @param position the offset that was committed with it
   * @param metadata what was committed; may be anything
   * @return the done offsets above the position; empty if this is not ours or damaged
   */
  public static Optional<DoneRanges> decode(long position, String metadata) {
    if (metadata.isEmpty()) {
      return Optional.of(DoneRanges.NONE);
    }
    if (!metadata.startsWith(VERSION) || metadata.length() > METADATA_CHARS_MAX) {
      return Optional.empty();
    }
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(metadata.substring(VERSION.length()).getBytes(US_ASCII));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    int length = bytes.length - CHECKSUM_BYTES;
    if (length < 1 || checksum(position, bytes, length) != readInt(bytes, length)) {
      return Optional.empty();
    }
    return runs(position, bytes, length * 8);
  }

  private static Optional<DoneRanges> runs(long position, byte[] bytes, int bits) {
    long[] bounds = new long[16];
    int count = 0;
    long at = position;
    boolean done = false;
    int bit = 0;
    while (true) {
      int zeros = 0;
      while (bit < bits && !isSet(bytes, bit)) {
        zeros++;
        bit++;
      }
      if (bit == bits) {
        break; // padding
      }
      if (zeros > 62 || bit + zeros >= bits) {
        return Optional.empty();
      }
      long run = 0;
      for (int i = 0; i <= zeros; i++) {
        run = run << 1 | (isSet(bytes, bit++) ? 1 : 0);
      }
      long end = at + run;
      if (end < at) {
        return Optional.empty();
      }
      if (done) {
        if (count + 2 > bounds.length) {
          bounds = Arrays.copyOf(bounds, bounds.length * 2);
        }
        bounds[count++] = at;
        bounds[count++] = end;
      }
      at = end;
      done = !done;
    }
    return Optional.of(new DoneRanges(Arrays.copyOf(bounds, count)));
  }

  private static boolean isSet(byte[] bytes, int bit) {
    return (bytes[bit >> 3] & 0x80 >> (bit & 7)) != 0;
  }

  private static int readInt(byte[] bytes, int at) {
    return bytes[at] << 24
        | (bytes[at + 1] & 0xff) << 16
        | (bytes[at + 2] & 0xff) << 8
        | bytes[at + 3] & 0xff;
  }

  private static int checksum(long position, byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    for (int shift = 56; shift >= 0; shift -= 8) {
      crc.update((int) (position >>> shift));
    }
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  /** Writes the runs of one snapshot, never beyond its bound. */
  static final class Encoder {
    private final long position;
    private final byte[] bytes;
    private final int bitsMax;
    private long runStart;
    private long at;
    private int bit;

    /**
     * @param position the offset of the first undone entry
     * @param metadataBytesMax the most characters that {@link #finish} may return
     */
    Encoder(long position, int metadataBytesMax) {
      this.position = position;
      this.runStart = position;
      this.at = position;
      int payload = (metadataBytesMax - VERSION.length()) / 4 * 3 - CHECKSUM_BYTES;
      this.bytes = new byte[Math.max(0, payload) + CHECKSUM_BYTES];
      this.bitsMax = Math.max(0, payload) * 8;
    }

    /** The offset of the first undone entry. */
    long position() {
      return position;
    }

    /**
     * The next undone offsets, ascending: from {@code offset} to the one before {@code end}.
     *
     * @return false if what lies before it does not fit; nothing was written then
     */
    boolean undone(long offset, long end) {
      if (offset == at) {
        at = end;
        return true;
      }
      // The undone run [runStart, at), the done run [at, offset), and room for the run that
      // follows.
      long undoneRun = at - runStart;
      long doneRun = offset - at;
      if (bit + gammaBits(undoneRun) + gammaBits(doneRun) > bitsMax) {
        return false;
      }
      write(undoneRun);
      write(doneRun);
      runStart = offset;
      at = end;
      return true;
    }

    /** Whether a done run from the last undone offset to {@code end} fits. */
    boolean endsAt(long end) {
      return end == at || bit + gammaBits(at - runStart) + gammaBits(end - at) <= bitsMax;
    }

    /** The metadata, describing what is below {@code end}; empty where nothing above is done. */
    String finish(long end) {
      if (end > at && endsAt(end)) {
        write(at - runStart);
        write(end - at);
      }
      if (bit == 0) {
        return "";
      }
      int length = (bit + 7) / 8;
      int crc = checksum(position, bytes, length);
      for (int i = 0; i < CHECKSUM_BYTES; i++) {
        bytes[length + i] = (byte) (crc >>> 24 - 8 * i);
      }
      byte[] used = Arrays.copyOf(bytes, length + CHECKSUM_BYTES);
      return VERSION + Base64.getEncoder().encodeToString(used);
    }

    private static int gammaBits(long n) {
      return 2 * (63 - Long.numberOfLeadingZeros(n)) + 1;
    }

    private void write(long n) {
      int log = 63 - Long.numberOfLeadingZeros(n);
      bit += log;
      for (int i = log; i >= 0; i--) {
        if ((n >>> i & 1) != 0) {
          bytes[bit >> 3] |= (byte) (0x80 >> (bit & 7));
        }
        bit++;
      }
    }
  }
}
