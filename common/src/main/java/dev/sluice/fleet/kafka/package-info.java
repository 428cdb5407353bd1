// SPDX-License-Identifier: Apache-2.0
/**
 * The fleet protocol over Kafka: the control topics, the thread with which a process takes part,
 * and the one with which it coordinates where it was elected.
 */
@NullMarked
package dev.sluice.fleet.kafka;

import org.jspecify.annotations.NullMarked;
