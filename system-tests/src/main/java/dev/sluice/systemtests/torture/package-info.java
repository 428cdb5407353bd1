// SPDX-License-Identifier: Apache-2.0
/** A fleet under random faults from a seed, and the judgement of what it did. */
@NullMarked
package dev.sluice.systemtests.torture;

import org.jspecify.annotations.NullMarked;
