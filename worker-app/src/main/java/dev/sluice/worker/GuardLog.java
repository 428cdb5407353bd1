// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import dev.sluice.flow.limit.DeadLetterGuard;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says when a handler is held back because everything fails. */
final class GuardLog implements DeadLetterGuard.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(GuardLog.class);

  private final String handler;

  /**
   * @param handler queue and type
   */
  GuardLog(String handler) {
    this.handler = handler;
  }

  @Override
  public void shut(@Nullable Throwable failure) {
    LOG.warn(
        "[{}] The last {} tasks failed: its tasks wait (CIRCUIT_OPEN), and one attempt at a time"
            + " probes whether it works again. The last failure: {}. If tasks are to become dead"
            + " letters instead, set deadLetterGuard to false.",
        handler,
        DeadLetterGuard.FAILURES,
        String.valueOf(failure));
  }

  @Override
  public void opened() {
    LOG.info("[{}] An attempt has succeeded: its tasks go on", handler);
  }
}
