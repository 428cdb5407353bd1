// SPDX-License-Identifier: Apache-2.0
/** When a delayed task moves on, and who serves delayed tasks. */
@NullMarked
package dev.sluice.flow.delay;

import org.jspecify.annotations.NullMarked;
