// SPDX-License-Identifier: Apache-2.0
/** Dead letters: finding them, running them again, forgetting them. */
@NullMarked
package dev.sluice.console.dead;

import org.jspecify.annotations.NullMarked;
