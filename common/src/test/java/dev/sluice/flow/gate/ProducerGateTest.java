// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.flow.gate.Admission.Refusal;
import dev.sluice.flow.gate.Admission.Refused;
import dev.sluice.flow.gate.Admission.Shortage;
import dev.sluice.flow.gate.Admission.WaitNanos;
import dev.sluice.flow.limit.TokenBucket;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProducerGateTest {
  @Test
  void holdsTasksBackAtTheCount() {
    ProducerGate gate = new ProducerGate(1, 100, null);
    assertThat(gate.admit(10, 0)).isEqualTo(Admission.ADMITTED);

    assertThat(gate.admit(10, 0))
        .isEqualTo(new WaitNanos(WaitNanos.UNTIL_RELEASE, Shortage.TASKS_FULL));
    gate.release(1, 10);
    assertThat(gate.admit(10, 0)).isEqualTo(Admission.ADMITTED);
  }

  @Test
  void holdsTasksBackAtTheBytesButLetsAnEmptyOneThrough() {
    ProducerGate gate = new ProducerGate(10, 100, null);
    assertThat(gate.admit(100, 0)).isEqualTo(Admission.ADMITTED);

    assertThat(gate.admit(1, 0))
        .isEqualTo(new WaitNanos(WaitNanos.UNTIL_RELEASE, Shortage.BYTES_FULL));
    assertThat(gate.admit(0, 0)).isEqualTo(Admission.ADMITTED);
  }

  @Test
  void saysWhenTheNextTokenComesAndTakesNoneForATaskWithoutRoom() {
    ProducerGate gate = new ProducerGate(2, 100, new TokenBucket(1, 1, 0));
    assertThat(gate.admit(1, 0)).isEqualTo(Admission.ADMITTED);
    assertThat(gate.admit(1, 0)).isEqualTo(new WaitNanos(1_000_000_000, Shortage.RATE_LIMITED));
    assertThat(gate.admit(100, 1_000_000_000))
        .isEqualTo(new WaitNanos(WaitNanos.UNTIL_RELEASE, Shortage.BYTES_FULL));
    assertThat(gate.admit(1, 1_000_000_000)).isEqualTo(Admission.ADMITTED);
  }

  @Test
  void refusesWhatCanNeverFitAndEverythingOnceClosed() {
    ProducerGate gate = new ProducerGate(2, 100, null);
    assertThat(gate.admit(101, 0)).isEqualTo(new Refused(Refusal.TOO_LARGE));
    assertThat(gate.admit(1, 0)).isEqualTo(Admission.ADMITTED);
    gate.close();
    assertThat(gate.admit(1, 0)).isEqualTo(new Refused(Refusal.CLOSED));
    gate.release(1, 1);
    assertThat(gate.tasks()).isZero();
  }

  @Test
  void namesADoubleRelease() {
    ProducerGate gate = new ProducerGate(2, 100, null);
    gate.admit(1, 0);
    gate.release(1, 1);
    assertThatThrownBy(() -> gate.release(1, 1)).hasMessageContaining("released twice");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void staysWithinItsBoundsUnderAnyOrderOfOperations(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int tasksMax = random.nextInt(1, 20);
    long bytesMax = random.nextLong(1, 500);
    double rate = random.nextInt(1, 1_000);
    ProducerGate gate =
        new ProducerGate(
            tasksMax, bytesMax, random.nextBoolean() ? null : new TokenBucket(rate, 5, 0));
    List<Long> inFlight = new ArrayList<>();
    long now = 0;
    for (int i = 0; i < 20_000; i++) {
      now += random.nextLong(2_000_000);
      if (random.nextBoolean()) {
        long bytes = random.nextLong(0, bytesMax + 2);
        Admission admission = gate.admit(bytes, now);
        if (admission instanceof Admission.Admitted) {
          inFlight.add(bytes);
        } else if (admission instanceof Refused) {
          assertThat(bytes).as("seed %d", seed).isGreaterThan(bytesMax);
        }
      } else if (!inFlight.isEmpty()) {
        gate.release(1, inFlight.remove(random.nextInt(inFlight.size())));
      }
      assertThat(gate.tasks()).as("seed %d", seed).isEqualTo(inFlight.size());
      assertThat(gate.tasks()).as("seed %d", seed).isLessThanOrEqualTo(tasksMax);
      assertThat(gate.bytes())
          .as("seed %d", seed)
          .isEqualTo(inFlight.stream().mapToLong(Long::longValue).sum())
          .isLessThanOrEqualTo(bytesMax);
    }
  }
}
