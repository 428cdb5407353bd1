// SPDX-License-Identifier: Apache-2.0
/**
 * Time as a value that is handed in: monotonic nanoseconds and epoch milliseconds, and the only
 * class that reads the clocks.
 */
@NullMarked
package dev.sluice.time;

import org.jspecify.annotations.NullMarked;
