// SPDX-License-Identifier: Apache-2.0
/** The command kafka: a local broker in the foreground. */
@NullMarked
package dev.sluice.localkafka.cli;

import org.jspecify.annotations.NullMarked;
