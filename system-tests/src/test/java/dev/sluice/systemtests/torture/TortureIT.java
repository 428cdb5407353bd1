// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.torture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The torture run for two minutes, with a seed that is another one each time. */
@Tag("side-by-side")
class TortureIT {
  private static final Duration SHORT = Duration.ofMinutes(2);

  @Test
  void everyPromiseHolds() throws Exception {
    long seed = Long.getLong("sluice.seed", new SecureRandom().nextInt(1_000_000));
    Path folder = TortureRun.fresh(Path.of("target", "torture"));
    TortureRun.Result result = new TortureRun(folder, seed, SHORT).run();
    System.out.println(
        "seed " + seed + " " + new ObjectMapper().writeValueAsString(result.figures()));
    assertThat(result.violations())
        .as("again: ./sluice torture --minutes %d --seed %d", SHORT.toMinutes(), seed)
        .isEmpty();
  }
}
