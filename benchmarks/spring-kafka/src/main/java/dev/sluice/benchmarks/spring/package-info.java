// SPDX-License-Identifier: Apache-2.0
/** Spring for Apache Kafka. */
@NullMarked
package dev.sluice.benchmarks.spring;

import org.jspecify.annotations.NullMarked;
