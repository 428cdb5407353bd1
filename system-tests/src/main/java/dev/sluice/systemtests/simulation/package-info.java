// SPDX-License-Identifier: Apache-2.0
/**
 * The fleet protocol under virtual time: the code that runs in production, on a modelled log with
 * delays, with processes that die, stop and are cut off, and the promises checked at every step.
 * One thread and one seed: the same seed gives the same run.
 */
@NullMarked
package dev.sluice.systemtests.simulation;

import org.jspecify.annotations.NullMarked;
