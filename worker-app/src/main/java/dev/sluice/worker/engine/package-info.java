// SPDX-License-Identifier: Apache-2.0
/**
 * The state of a worker and every decision about it: which task may start, what a completion
 * unlocks, why a partition is paused.
 *
 * <p>No I/O, no threads, no clock: events and the time come in, decisions go out. All methods of
 * {@link dev.sluice.worker.engine.Engine} are called under one lock that the rim holds; handler
 * threads enter it to report what they finished and to take what is next, so that no other thread
 * has to wake up for a completion.
 */
@NullMarked
package dev.sluice.worker.engine;

import org.jspecify.annotations.NullMarked;
