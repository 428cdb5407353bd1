// SPDX-License-Identifier: Apache-2.0
/**
 * Limits decide whether a task may start now, and when to look again if it may not; they never
 * block.
 */
@NullMarked
package dev.sluice.flow.limit;

import org.jspecify.annotations.NullMarked;
