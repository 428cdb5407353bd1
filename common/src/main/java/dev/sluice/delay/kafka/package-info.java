// SPDX-License-Identifier: Apache-2.0
/** Delayed tasks in Kafka: the topics that they wait in, their records, and how to cancel them. */
@NullMarked
package dev.sluice.delay.kafka;

import org.jspecify.annotations.NullMarked;
