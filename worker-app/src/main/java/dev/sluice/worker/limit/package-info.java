// SPDX-License-Identifier: Apache-2.0
/**
 * Resilience4j's bulkhead, rate limiter, circuit breaker and retry behind the engine's {@link
 * dev.sluice.flow.limit.Limit}: asked, never waited for.
 */
@NullMarked
package dev.sluice.worker.limit;

import org.jspecify.annotations.NullMarked;
