// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import dev.sluice.TaskHandler;
import dev.sluice.worker.engine.HandlerState;
import dev.sluice.worker.limit.FailurePolicy;
import dev.sluice.worker.limit.HoldLimit;

/**
 * A handler as the rim runs it.
 *
 * @param state what the engine keeps of it
 * @param handler the user's code, on bytes
 * @param timeoutNanos the longest that an attempt may take
 * @param failures what follows a failure
 * @param hold holds the handler back when its downstream asks for that
 */
public record HandlerBinding(
    HandlerState state,
    TaskHandler<byte[]> handler,
    long timeoutNanos,
    FailurePolicy failures,
    HoldLimit hold) {}
