// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

/**
 * Where an accepted task is: the broker has acknowledged it.
 *
 * @param topic the topic of the record
 * @param partition its partition
 * @param offset its offset; -1 where the broker recognised a retry of a record that it had already,
 *     and no longer knows where
 */
public record Acceptance(String topic, int partition, long offset) {}
