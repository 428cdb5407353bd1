// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.testing.Seeds;
import org.junit.jupiter.api.Test;

class ShareAllocatorTest {
  @Test
  void smallDemandsAreMetAndTheRestIsSharedAlike() {
    assertThat(ShareAllocator.allocate(100, new long[] {10, 80, 80})).containsExactly(10, 45, 45);
    assertThat(ShareAllocator.allocate(100, new long[] {10, 20, 30})).containsExactly(10, 20, 30);
    assertThat(ShareAllocator.allocate(0, new long[] {10, 20})).containsExactly(0, 0);
    assertThat(ShareAllocator.allocate(5, new long[] {})).isEmpty();
  }

  @Test
  void weightsCountWhereThereIsTooLittle() {
    assertThat(ShareAllocator.allocate(90, new long[] {90, 90}, new double[] {2, 1}))
        .containsExactly(60, 30);
  }

  @Test
  void impossibleArgumentsAreRefused() {
    assertThatThrownBy(() -> ShareAllocator.allocate(-1, new long[] {1}))
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> ShareAllocator.allocate(1, new long[] {1}, new double[] {0}))
        .hasMessageContaining("weight 0");
  }

  @Test
  void nobodyGetsMoreThanItDemandsAllIsUsedAndNobodyIsWorseOffThanItsEqual() {
    Seeds.each(
        500,
        random -> {
          int n = 1 + random.nextInt(20);
          long[] demands = new long[n];
          long sum = 0;
          for (int i = 0; i < n; i++) {
            demands[i] = random.nextInt(4) == 0 ? 0 : random.nextInt(1_000);
            sum += demands[i];
          }
          long capacity = random.nextInt(3_000);
          long[] shares = ShareAllocator.allocate(capacity, demands);
          long given = 0;
          for (int i = 0; i < n; i++) {
            assertThat(shares[i]).isBetween(0L, demands[i]);
            given += shares[i];
          }
          assertThat(given).isEqualTo(Math.min(capacity, sum));
          for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
              // Whoever did not get all it wanted has at most one unit less than anybody else.
              if (shares[i] < demands[i]) {
                assertThat(shares[i]).isGreaterThanOrEqualTo(shares[j] - 1);
              }
            }
          }
        });
  }
}
