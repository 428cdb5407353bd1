// SPDX-License-Identifier: Apache-2.0
/** Which of the times of a recurring task are due, and what becomes of those that were missed. */
@NullMarked
package dev.sluice.flow.schedule;

import org.jspecify.annotations.NullMarked;
