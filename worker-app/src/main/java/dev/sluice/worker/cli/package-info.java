// SPDX-License-Identifier: Apache-2.0
/** The command work. */
@NullMarked
package dev.sluice.worker.cli;

import org.jspecify.annotations.NullMarked;
