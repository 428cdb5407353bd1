// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class LedgerCodecTest {
  private static final int ROOMY = 1 << 16;

  /** Undone and done runs in turn, as a ledger would describe them. */
  private static String encode(long position, long[] runs) {
    LedgerCodec.Encoder encoder = new LedgerCodec.Encoder(position, ROOMY);
    long at = position;
    for (int i = 0; i < runs.length; i++) {
      if (i % 2 == 0) {
        assertThat(encoder.undone(at, at + runs[i])).isTrue();
      }
      at += runs[i];
    }
    return encoder.finish(at);
  }

  private static long[] runs(RandomGenerator random) {
    long[] runs = new long[2 * random.nextInt(1, 40)];
    for (int i = 0; i < runs.length; i++) {
      runs[i] = random.nextLong(1, 1L << random.nextInt(1, 24));
    }
    return runs;
  }

  @Test
  void whatWasEncodedIsDecoded() {
    Seeds.each(
        500,
        random -> {
          long position = random.nextLong(1L << 50);
          long[] runs = runs(random);
          DoneRanges ranges = LedgerCodec.decode(position, encode(position, runs)).orElseThrow();
          long at = position;
          long done = 0;
          for (int i = 0; i < runs.length; i++) {
            boolean isDone = i % 2 == 1;
            assertThat(ranges.contains(at)).isEqualTo(isDone);
            assertThat(ranges.contains(at + runs[i] - 1)).isEqualTo(isDone);
            at += runs[i];
            done += isDone ? runs[i] : 0;
          }
          assertThat(ranges.contains(at)).isFalse();
          assertThat(ranges.contains(position - 1)).isFalse();
          assertThat(ranges.end()).isEqualTo(at);
          assertThat(ranges.size()).isEqualTo(done);
        });
  }

  @Test
  void nothingDoneAboveThePositionIsEmpty() {
    assertThat(encode(9, new long[] {5})).isEmpty();
    assertThat(LedgerCodec.decode(9, "").orElseThrow().size()).isZero();
  }

  @Test
  void metadataWithAnyOneBitFlippedIsIgnored() {
    Seeds.each(
        40,
        random -> {
          long position = random.nextLong(1L << 40);
          String metadata = encode(position, runs(random));
          String original = LedgerCodec.decode(position, metadata).orElseThrow().toString();
          for (int i = 0; i < metadata.length(); i++) {
            for (int bit = 0; bit < 16; bit++) {
              char[] damaged = metadata.toCharArray();
              damaged[i] ^= (char) (1 << bit);
              Optional<DoneRanges> read = LedgerCodec.decode(position, new String(damaged));
              // Base64 leaves bits unused before its padding: flipping one changes no byte.
              if (read.isPresent() && i >= metadata.length() - 3) {
                assertThat(read.get().toString()).isEqualTo(original);
              } else {
                assertThat(read).as("char %s bit %s of %s", i, bit, metadata).isEmpty();
              }
            }
          }
        });
  }

  @Test
  void metadataOfAnotherPositionIsIgnored() {
    String metadata = encode(1_000, new long[] {1, 3});
    assertThat(LedgerCodec.decode(1_000, metadata)).isPresent();
    assertThat(LedgerCodec.decode(1_001, metadata)).isEmpty();
    assertThat(LedgerCodec.decode(999, metadata)).isEmpty();
  }

  @Test
  void foreignMetadataIsIgnored() {
    for (String foreign :
        new String[] {
          "x", "S", "S1", "S1=", "S1AAAA", "S1AAAAAA==", "S2AAAAAAAA", "{\"a\":1}", "é", " "
        }) {
      assertThat(LedgerCodec.decode(3, foreign)).as(foreign).isEmpty();
    }
  }

  @Test
  void randomMetadataIsNeverTakenForOurs() {
    Seeds.each(
        2_000,
        random -> {
          StringBuilder text = new StringBuilder("S1");
          int length = random.nextInt(40);
          for (int i = 0; i < length; i++) {
            text.append((char) random.nextInt(33, 127));
          }
          assertThat(LedgerCodec.decode(random.nextLong(1L << 40), text.toString())).isEmpty();
        });
  }

  @Test
  void cutMetadataIsIgnored() {
    String metadata = encode(77, new long[] {1, 2, 3, 4, 5, 6, 70, 80, 9_000, 1});
    for (int length = 1; length < metadata.length(); length++) {
      Optional<DoneRanges> read = LedgerCodec.decode(77, metadata.substring(0, length));
      // Without its padding it still is the same text to the decoder.
      if (!metadata.substring(length).matches("=+")) {
        assertThat(read).isEmpty();
      }
    }
  }
}
