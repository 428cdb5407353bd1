// SPDX-License-Identifier: Apache-2.0
/** Confluent Parallel Consumer. */
@NullMarked
package dev.sluice.benchmarks.parallelconsumer;

import org.jspecify.annotations.NullMarked;
