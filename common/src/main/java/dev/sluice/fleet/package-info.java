// SPDX-License-Identifier: Apache-2.0
/**
 * The fleet protocol: what holders report, what the coordinator grants, who is the coordinator, and
 * the two state machines that keep the limits. All of it is pure: records and times in, records
 * out; {@code dev.sluice.control} and the apps carry them over Kafka.
 */
@NullMarked
package dev.sluice.fleet;

import org.jspecify.annotations.NullMarked;
