// SPDX-License-Identifier: Apache-2.0
/**
 * A real Apache Kafka broker, in this JVM or as processes of its own: for tests, demos and the
 * command kafka.
 */
@NullMarked
package dev.sluice.localkafka;

import org.jspecify.annotations.NullMarked;
