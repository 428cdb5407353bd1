// SPDX-License-Identifier: Apache-2.0
package dev.sluice.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SeedsTest {
  @Test
  void theTextOfAFailureBeginsWithItsSeed() {
    List<Long> seen = new ArrayList<>();
    assertThatThrownBy(
            () ->
                Seeds.each(
                    10,
                    random -> {
                      seen.add(random.nextLong());
                      if (seen.size() == 3) {
                        throw new IllegalStateException("broken");
                      }
                    }))
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("Seed 3 ")
        .hasMessageContaining("-Dsluice.seed=3")
        .hasMessageContaining("broken");
    assertThat(seen).hasSize(3).doesNotHaveDuplicates();
  }

  @Test
  void theSameSeedTwiceIsTheSameRun() {
    List<Long> first = new ArrayList<>();
    List<Long> second = new ArrayList<>();
    Seeds.each(5, random -> first.add(random.nextLong()));
    Seeds.each(5, random -> second.add(random.nextLong()));
    assertThat(second).isEqualTo(first);
  }
}
