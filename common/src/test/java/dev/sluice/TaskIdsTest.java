// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class TaskIdsTest {
  @Test
  void idsAreVersionSevenCarryTheirTimeAndSortByIt() {
    Seeds.each(
        50,
        random -> {
          TaskIds ids = new TaskIds(random);
          long millis = random.nextLong(1L << 47);
          String before = "";
          Set<String> seen = new HashSet<>();
          for (int i = 0; i < 100; i++) {
            millis += random.nextInt(1, 1_000);
            String id = ids.next(millis);
            UUID uuid = UUID.fromString(id);
            assertThat(uuid.version()).isEqualTo(7);
            assertThat(uuid.variant()).isEqualTo(2);
            assertThat(uuid.getMostSignificantBits() >>> 16).isEqualTo(millis);
            assertThat(id).isGreaterThan(before);
            assertThat(seen.add(id)).isTrue();
            before = id;
          }
        });
  }
}
