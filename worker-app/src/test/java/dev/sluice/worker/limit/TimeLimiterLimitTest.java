// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.flow.limit.Limit;
import io.github.resilience4j.timelimiter.TimeLimiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimeLimiterLimitTest {
  private final TimeLimiter limiter = TimeLimiter.of(Duration.ofSeconds(3));
  private final TimeLimiterLimit limit = new TimeLimiterLimit(limiter);
  private final List<String> events = new ArrayList<>();

  @Test
  void publishesHowEveryAttemptEnded() {
    limiter.getEventPublisher().onEvent(event -> events.add(event.getEventType().name()));

    limit.release(Limit.Ending.SUCCESS, 1, null);
    limit.release(Limit.Ending.FAILURE, 1, new IllegalStateException("x"));
    limit.release(Limit.Ending.FAILURE, 1, new HandlerTimeoutException("too long"));
    limit.release(Limit.Ending.IGNORED, 1, null);

    assertThat(events).containsExactly("SUCCESS", "ERROR", "TIMEOUT");
  }

  @Test
  void holdsNothingBackAndSaysTheTimeoutOfAnAttempt() {
    assertThat(limit.tryAcquire(0)).isEqualTo(Limit.GRANTED);
    assertThat(limit.timeoutNanos()).isEqualTo(Duration.ofSeconds(3).toNanos());
  }
}
