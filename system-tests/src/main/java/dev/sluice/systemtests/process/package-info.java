// SPDX-License-Identifier: Apache-2.0
/**
 * Workers, producers and load as a system test needs them: real processes that can be killed, stood
 * still and watched.
 */
@NullMarked
package dev.sluice.systemtests.process;

import org.jspecify.annotations.NullMarked;
