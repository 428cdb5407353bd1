// SPDX-License-Identifier: Apache-2.0
/**
 * A JUnit extension that gives tests a real broker: a container where an engine answers, else in
 * this JVM.
 */
@NullMarked
package dev.sluice.localkafka.junit;

import org.jspecify.annotations.NullMarked;
