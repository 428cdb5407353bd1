// SPDX-License-Identifier: Apache-2.0
/** The command produce: tasks from a file, from standard input, or over HTTP. */
@NullMarked
package dev.sluice.producer.cli;

import org.jspecify.annotations.NullMarked;
