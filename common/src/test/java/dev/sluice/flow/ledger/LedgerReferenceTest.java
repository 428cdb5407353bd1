// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LedgerReferenceTest {
  private static final LedgerReference REFERENCE = new LedgerReference(3, 1L << 40);

  @Test
  void comesBackForItsPositionOnly() {
    String metadata = REFERENCE.metadata(17);
    assertThat(LedgerReference.of(17, metadata)).contains(REFERENCE);
    assertThat(LedgerReference.of(18, metadata)).isEmpty();
    assertThat(LedgerCodec.decode(17, metadata)).as("no gaps in itself").isEmpty();
  }

  @Test
  void whatIsDamagedOrSomebodyElsesIsNone() {
    String metadata = REFERENCE.metadata(17);
    for (int i = 0; i < metadata.length(); i++) {
      char turned = (char) (metadata.charAt(i) ^ 1);
      String damaged = metadata.substring(0, i) + turned + metadata.substring(i + 1);
      assertThat(LedgerReference.of(17, damaged)).as(damaged).isEmpty();
    }
    for (String other :
        new String[] {"", "R1", "R1::", "R1a:b:c", "S1AAAA", "R1" + "9".repeat(80)}) {
      assertThat(LedgerReference.of(17, other)).as(other).isEmpty();
    }
  }

  @Test
  void rangesGetOneBeforeThem() {
    DoneRanges ranges = new DoneRanges(new long[] {20, 25, 30, 31});
    assertThat(ranges.behind(5, 5)).isSameAs(ranges);
    DoneRanges more = ranges.behind(5, 12);
    assertThat(more.contains(5)).isTrue();
    assertThat(more.contains(11)).isTrue();
    assertThat(more.contains(12)).isFalse();
    assertThat(more.contains(24)).isTrue();
    assertThat(more.end()).isEqualTo(31);
    assertThat(ranges.behind(5, 20).firstUndone(5)).isEqualTo(25);
    assertThat(DoneRanges.NONE.behind(1, 3).contains(2)).isTrue();
  }
}
