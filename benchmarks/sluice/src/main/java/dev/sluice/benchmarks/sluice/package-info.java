// SPDX-License-Identifier: Apache-2.0
/** Sluice itself: a worker, and its producer beside the plain one. */
@NullMarked
package dev.sluice.benchmarks.sluice;

import org.jspecify.annotations.NullMarked;
