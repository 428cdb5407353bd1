// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.pause;

import static dev.sluice.flow.pause.PauseReason.BYTES_FULL;
import static dev.sluice.flow.pause.PauseReason.LANE_FULL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PausesTest {
  @Test
  void isPausedUntilTheLastReasonIsGone() {
    Pauses pauses = new Pauses();
    assertThat(pauses.set(Pauses.bit(LANE_FULL), 100)).isTrue();
    assertThat(pauses.set(Pauses.bit(LANE_FULL) | Pauses.bit(BYTES_FULL), 150)).isFalse();
    assertThat(pauses.heldNanos(200))
        .containsOnly(Map.entry(LANE_FULL, 100L), Map.entry(BYTES_FULL, 50L));
    assertThat(pauses.set(Pauses.bit(BYTES_FULL), 250)).isFalse();
    assertThat(pauses.has(LANE_FULL)).isFalse();
    assertThat(pauses.paused()).isTrue();
    assertThat(pauses.set(0, 300)).isTrue();
    assertThat(pauses.paused()).isFalse();
    assertThat(pauses.heldNanos(300)).isEmpty();
    assertThat(pauses.count()).isEqualTo(1);
  }

  @Test
  void aReasonThatComesBackIsHeldFromThen() {
    Pauses pauses = new Pauses();
    pauses.set(Pauses.bit(LANE_FULL), 0);
    pauses.set(0, 10);
    pauses.set(Pauses.bit(LANE_FULL), 50);
    assertThat(pauses.heldNanos(51)).containsOnly(Map.entry(LANE_FULL, 1L));
    assertThat(pauses.count()).isEqualTo(2);
  }

  @Test
  void agreesWithAMapOfSinceWhens() {
    Seeds.each(
        100,
        random -> {
          Pauses pauses = new Pauses();
          Map<PauseReason, Long> since = new EnumMap<>(PauseReason.class);
          long now = random.nextLong(); // monotonic clocks may be negative and may wrap
          long paused = 0;
          for (int step = 0; step < 200; step++) {
            now += random.nextInt(1_000);
            boolean before = !since.isEmpty();
            int bits = 0;
            for (PauseReason reason : PauseReason.values()) {
              if (random.nextInt(6) == 0) {
                bits |= Pauses.bit(reason);
                since.putIfAbsent(reason, now);
              } else {
                since.remove(reason);
              }
            }
            boolean after = !since.isEmpty();
            assertThat(pauses.set(bits, now)).isEqualTo(before != after);
            paused += !before && after ? 1 : 0;
            Map<PauseReason, Long> held = new EnumMap<>(PauseReason.class);
            long later = now;
            since.forEach((reason, start) -> held.put(reason, later - start));
            assertThat(pauses.heldNanos(now)).isEqualTo(held);
            assertThat(pauses.count()).isEqualTo(paused);
          }
        });
  }

  @Test
  void everyReasonSaysWhatClearsIt() {
    assertThat(PauseReason.values()).allSatisfy(r -> assertThat(r.clearedBy()).isNotBlank());
  }
}
