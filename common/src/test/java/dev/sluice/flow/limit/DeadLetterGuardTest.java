// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.Limit.Ending;
import dev.sluice.testing.Seeds;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DeadLetterGuardTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long TIMEOUT = 5 * SECOND;

  private int shut;
  private int opened;
  private long now = Long.MAX_VALUE - 3 * SECOND;

  private final DeadLetterGuard guard =
      new DeadLetterGuard(
          TIMEOUT,
          new DeadLetterGuard.Listener() {
            @Override
            public void shut(@Nullable Throwable failure) {
              shut++;
            }

            @Override
            public void opened() {
              opened++;
            }
          });

  private boolean granted() {
    return guard.tryAcquire(now) == Limit.GRANTED;
  }

  private void fail() {
    guard.release(Ending.FAILURE, 1, new IllegalStateException("away"));
  }

  private void failInARow(int times) {
    for (int i = 0; i < times; i++) {
      assertThat(granted()).isTrue();
      fail();
    }
  }

  private void succeed() {
    guard.release(Ending.SUCCESS, 1, null);
  }

  @Test
  void aSuccessBetweenFailuresKeepsItOpen() {
    for (int i = 0; i < 10; i++) {
      failInARow(DeadLetterGuard.FAILURES - 1);
      assertThat(granted()).isTrue();
      succeed();
    }
    assertThat(granted()).isTrue();
    assertThat(shut).isZero();
  }

  @Test
  void failuresInARowShutItAndProbesBackOff() {
    failInARow(DeadLetterGuard.FAILURES);
    assertThat(shut).isEqualTo(1);
    long[] waits = {1, 2, 4, 8, 10, 10};
    for (long wait : waits) {
      assertThat(guard.tryAcquire(now)).isBetween(1L, 200_000_000L);
      now += wait * SECOND - 1;
      assertThat(granted()).as("a probe before %s s", wait).isFalse();
      now += 1;
      assertThat(granted()).as("a probe after %s s", wait).isTrue();
      assertThat(granted()).as("two probes at once").isFalse();
      fail();
    }
    assertThat(shut).isEqualTo(1);
    assertThat(granted()).isFalse();
    now += 10 * SECOND;
    assertThat(granted()).isTrue();
    succeed();
    assertThat(opened).isEqualTo(1);
    assertThat(granted()).isTrue();
    assertThat(granted()).isTrue();
  }

  @Test
  void tasksThatFailAgainAreNoSign() {
    failInARow(DeadLetterGuard.FAILURES - 1);
    for (int i = 0; i < 1_000; i++) {
      assertThat(granted()).isTrue();
      guard.release(Ending.FAILURE, 1, new IllegalStateException("again"), false);
    }
    assertThat(shut).isZero();
    failInARow(1);
    assertThat(granted()).isFalse();
    now += SECOND;
    assertThat(granted()).isTrue();
    guard.release(Ending.FAILURE, 1, new IllegalStateException("again"), false);
    assertThat(granted()).as("a probe that failed, also one that is no first attempt").isFalse();
  }

  @Test
  void aSuccessThatWasUnderWayLetsEverythingGoOn() {
    assertThat(granted()).isTrue();
    failInARow(DeadLetterGuard.FAILURES);
    assertThat(granted()).isFalse();
    succeed();
    assertThat(granted()).isTrue();
  }

  @Test
  void aProbeThatToldNothingIsTriedAgainAtOnce() {
    failInARow(DeadLetterGuard.FAILURES);
    assertThat(granted()).isFalse();
    now += SECOND;
    assertThat(granted()).isTrue();
    guard.cancel();
    assertThat(granted()).isTrue();
    guard.release(Ending.IGNORED, 1, null);
    assertThat(granted()).isTrue();
  }

  @Test
  void aProbeThatNeverReturnsIsNotWaitedFor() {
    failInARow(DeadLetterGuard.FAILURES);
    assertThat(granted()).isFalse();
    now += SECOND;
    assertThat(granted()).isTrue();
    now += TIMEOUT + 10 * SECOND - 1;
    assertThat(granted()).isFalse();
    now += 1;
    assertThat(granted()).isTrue();
  }

  /** Many attempts at once, by chance: it never stays shut once the downstream is back. */
  @Test
  void itAlwaysRecovers() {
    Seeds.each(
        200,
        random -> {
          DeadLetterGuard any =
              new DeadLetterGuard(
                  TIMEOUT,
                  new DeadLetterGuard.Listener() {
                    @Override
                    public void shut(@Nullable Throwable failure) {}

                    @Override
                    public void opened() {}
                  });
          Deque<Boolean> running = new ArrayDeque<>();
          long at = random.nextLong();
          boolean away = false;
          for (int i = 0; i < 2_000; i++) {
            at += random.nextInt(50_000_000);
            away ^= random.nextInt(200) == 0;
            if (running.size() < 30 && any.tryAcquire(at) == Limit.GRANTED) {
              running.add(away);
            }
            if (!running.isEmpty() && random.nextInt(3) == 0) {
              boolean failed = running.poll();
              switch (random.nextInt(10)) {
                case 0 -> any.cancel();
                case 1 -> any.release(Ending.IGNORED, 1, null);
                default -> any.release(failed ? Ending.FAILURE : Ending.SUCCESS, 1, null);
              }
            }
          }
          for (int i = 0; i < 40; i++) {
            at += SECOND;
            if (any.tryAcquire(at) == Limit.GRANTED) {
              any.release(Ending.SUCCESS, 1, null);
            }
          }
          assertThat(any.tryAcquire(at)).isEqualTo(Limit.GRANTED);
          assertThat(any.tryAcquire(at)).isEqualTo(Limit.GRANTED);
        });
  }
}
