// SPDX-License-Identifier: Apache-2.0
/** What the commands share: connection options, exit codes, error texts, logging, stop signals. */
@NullMarked
package dev.sluice.cli;

import org.jspecify.annotations.NullMarked;
