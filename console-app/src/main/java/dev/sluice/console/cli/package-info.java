// SPDX-License-Identifier: Apache-2.0
/** The administration commands. */
@NullMarked
package dev.sluice.console.cli;

import org.jspecify.annotations.NullMarked;
