// SPDX-License-Identifier: Apache-2.0
/** Named reasons why a partition is not fetched, each with a since-when and a what-clears-it. */
@NullMarked
package dev.sluice.flow.pause;

import org.jspecify.annotations.NullMarked;
