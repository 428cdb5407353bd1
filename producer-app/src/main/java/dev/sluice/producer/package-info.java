// SPDX-License-Identifier: Apache-2.0
/**
 * Publishing tasks: a producer that is bounded by count, bytes and rate, and says of every task
 * whether it was accepted, refused, or has a fate that is not known.
 *
 * <pre>{@code
 * try (TaskProducer producer = TaskProducer.connect("localhost:9092")) {
 *   producer.submit(Task.of("emails", "welcome", new Welcome("ada@example.org")).key("user-42"));
 * }
 * }</pre>
 */
@NullMarked
package dev.sluice.producer;

import org.jspecify.annotations.NullMarked;
