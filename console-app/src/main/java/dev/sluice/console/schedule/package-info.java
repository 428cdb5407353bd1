// SPDX-License-Identifier: Apache-2.0
/** Recurring tasks, as people add, see and remove them. */
@NullMarked
package dev.sluice.console.schedule;

import org.jspecify.annotations.NullMarked;
