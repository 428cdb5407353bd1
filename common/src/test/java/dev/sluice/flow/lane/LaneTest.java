// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.sluice.testing.Seeds;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.Test;

class LaneTest {
  @Test
  void whereFetchingWasStoppedItIsFullUntilTheLowWatermarkIsReached() {
    Lane lane = new Lane(100, 20); // high 80, low 40
    for (int i = 0; i < 80; i++) {
      lane.add(1);
    }
    assertThat(lane.full()).isFalse();
    lane.add(1);
    assertThat(lane.full()).isTrue();
    lane.stopped(true);
    assertThat(lane.surplus()).isEqualTo(41);
    for (int i = 0; i < 40; i++) {
      lane.remove(1);
      assertThat(lane.full()).isTrue();
      assertThat(lane.aboveLow()).isTrue();
    }
    lane.remove(1);
    assertThat(lane.full()).isFalse();
    assertThat(lane.aboveLow()).isFalse();
    assertThat(lane.surplus()).isZero();
    assertThat(lane.refillable()).isTrue();
    assertThat(lane.maxDepth()).isEqualTo(81);
  }

  @Test
  void whileItIsFetchedItIsFullOnlyUntilThereIsRoomForAPoll() {
    Lane lane = new Lane(100, 20); // high 80, low 40
    for (int i = 0; i < 95; i++) {
      lane.add(1);
    }
    assertThat(lane.full()).isTrue();
    assertThat(lane.surplus()).isEqualTo(15);
    for (int i = 0; i < 14; i++) {
      lane.remove(1);
      assertThat(lane.full()).isTrue();
      assertThat(lane.refillable()).isFalse();
    }
    lane.remove(1);
    assertThat(lane.full()).isFalse();
    assertThat(lane.surplus()).isZero();
    assertThat(lane.refillable()).isTrue();
    lane.add(1);
    lane.stopped(true);
    lane.remove(1);
    assertThat(lane.full()).as("the low watermark counts once it was stopped").isTrue();
    lane.stopped(false);
    assertThat(lane.full()).as("and no longer when it is fetched again").isFalse();
  }

  @Test
  void aLowerAimMovesBothWatermarksAndAHighOneOnlyBack() {
    Lane lane = new Lane(100, 20); // high 80, low 40
    for (int i = 0; i < 50; i++) {
      lane.add(1);
    }
    assertThat(lane.full()).isFalse();
    lane.aim(30);
    assertThat(lane.full()).isTrue();
    assertThat(lane.surplus()).isEqualTo(20);
    lane.stopped(true);
    for (int i = 0; i < 34; i++) {
      lane.remove(1);
    }
    assertThat(lane.full()).isTrue();
    assertThat(lane.surplus()).isEqualTo(1);
    lane.aim(Integer.MAX_VALUE);
    assertThat(lane.full()).as("it is below the low watermark of 40").isFalse();
    lane.aim(15);
    assertThat(lane.full()).as("16 of 15").isTrue();
    lane.aim(16);
    assertThat(lane.full()).as("until it is at half of that").isTrue();
    for (int i = 0; i < 8; i++) {
      lane.remove(1);
    }
    assertThat(lane.full()).isFalse();
    lane.aim(0);
    assertThat(lane.full()).isTrue();
  }

  @Test
  void refusesWhatWouldBreakItsBound() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Lane(0, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Lane(5, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Lane(5, 6));
    Lane lane = new Lane(1, 1);
    lane.add(9);
    assertThatIllegalStateException().isThrownBy(() -> lane.add(9));
    lane.remove(9);
    assertThatIllegalStateException().isThrownBy(() -> lane.remove(9));
  }

  @Test
  void pollsAreAtMostHalfTheLane() {
    assertThat(Lane.pollRecordsFor(1, 500)).isEqualTo(1);
    assertThat(Lane.pollRecordsFor(2, 500)).isEqualTo(1);
    assertThat(Lane.pollRecordsFor(100, 500)).isEqualTo(50);
    assertThat(Lane.pollRecordsFor(100_000, 500)).isEqualTo(500);
  }

  @Test
  void staysWithinItsBoundForWhoeverFetchesOnlyWhileItIsNotFull() {
    Seeds.each(
        200,
        random -> {
          int capacity = random.nextInt(1, 60);
          int poll = random.nextInt(1, capacity + 1);
          Lane lane = new Lane(capacity, poll);
          Deque<Integer> inside = new ArrayDeque<>();
          long bytes = 0;
          for (int step = 0; step < 500; step++) {
            if (random.nextInt(8) == 0) {
              lane.stopped(random.nextBoolean());
            }
            if (random.nextBoolean() && !lane.full()) {
              int records = random.nextInt(poll + 1);
              for (int i = 0; i < records; i++) {
                int size = random.nextInt(1_000);
                lane.add(size);
                inside.add(size);
                bytes += size;
              }
            } else if (!inside.isEmpty()) {
              int size = inside.poll();
              lane.remove(size);
              bytes -= size;
            }
            assertThat(lane.depth()).isEqualTo(inside.size()).isLessThanOrEqualTo(capacity);
            assertThat(lane.bytes()).isEqualTo(bytes);
            if (inside.isEmpty()) {
              assertThat(lane.full()).isFalse();
            }
          }
          assertThat(lane.maxDepth()).isLessThanOrEqualTo(capacity);
        });
  }
}
