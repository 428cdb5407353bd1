// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testing.Seeds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeyTableTest {
  @Test
  void agreesWithAHashMap() {
    Seeds.each(
        300,
        random -> {
          TestWorld world = new TestWorld();
          PartitionState partition = world.assign("t", 0);
          KeyTable table = new KeyTable();
          Map<Long, TaskRun> model = new HashMap<>();
          List<TaskRun> all = new ArrayList<>();
          // Few distinct low bits, so that probes run into each other and wrap around the end.
          int keys = random.nextInt(1, 400);
          int lowBits = random.nextInt(1, 9);
          for (int step = 0; step < 2_000; step++) {
            if (random.nextInt(5) < 3) {
              long key = random.nextInt(keys);
              long hash = key << 40 | key & (1L << lowBits) - 1;
              TestRun run = new TestRun(step, partition, world.handler, new OrderedBy(true, hash));
              assertThat(table.putLast(run)).isSameAs(model.put(hash, run));
              all.add(run);
            } else if (!all.isEmpty()) {
              TaskRun run = all.remove(random.nextInt(all.size()));
              table.removeIfLast(run);
              model.remove(run.keyHash, run);
            }
            assertThat(table.size()).isEqualTo(model.size());
          }
          for (TaskRun run : all) {
            table.removeIfLast(run);
          }
          assertThat(table.size()).isZero();
        });
  }
}
