// SPDX-License-Identifier: Apache-2.0
/** Measures Sluice and its peers side by side, each as a process of its own on one real broker. */
@NullMarked
package dev.sluice.benchmarks.runner;

import org.jspecify.annotations.NullMarked;
