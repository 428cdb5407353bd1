// SPDX-License-Identifier: Apache-2.0
/**
 * The rim of the engine towards Kafka: the poll loop, which alone owns the consumer, and the writer
 * of dead letters.
 */
@NullMarked
package dev.sluice.worker.kafka;

import org.jspecify.annotations.NullMarked;
