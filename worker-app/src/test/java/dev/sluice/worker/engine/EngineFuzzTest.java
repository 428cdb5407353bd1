// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Random operations on the engine, judged after each by a model that knows nothing of it. */
class EngineFuzzTest {
  @Test
  void whateverHappensOrderAndBoundsHoldAndEverythingEnds() {
    AtomicInteger ended = new AtomicInteger();
    AtomicInteger readAgain = new AtomicInteger();
    AtomicInteger inLine = new AtomicInteger();
    Seeds.each(
        400,
        random -> {
          EngineModel model = new EngineModel(random);
          for (int step = 0; step < 2_000; step++) {
            model.step();
            model.check();
          }
          model.drain();
          ended.addAndGet(model.ended());
          readAgain.addAndGet(model.readAgain());
          inLine.addAndGet(model.inLine());
        });
    if (Seeds.all()) {
      assertThat(ended.get()).as("ended tasks").isGreaterThan(10_000);
      assertThat(inLine.get()).as("steps with a partition in line").isGreaterThan(10_000);
      assertThat(readAgain.get()).as("shelved tasks that were read again").isGreaterThan(1_000);
    }
  }
}
