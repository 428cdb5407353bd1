// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

/**
 * A bulkhead, in Resilience4j's words.
 *
 * @param maxConcurrentCalls the most tasks of the handler that one worker runs at once; 1 to
 *     100,000
 */
public record BulkheadDefinition(int maxConcurrentCalls) {
  public BulkheadDefinition {
    Ranges.check("maxConcurrentCalls", maxConcurrentCalls, 1, 100_000);
  }
}
