// SPDX-License-Identifier: Apache-2.0
/** What an operator sees of a fleet, and what one can set: read from and written to its topics. */
@NullMarked
package dev.sluice.console;

import org.jspecify.annotations.NullMarked;
