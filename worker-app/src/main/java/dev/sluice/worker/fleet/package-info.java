// SPDX-License-Identifier: Apache-2.0
/** A worker's part in the fleet: the limits that it shares, its demand, its pauses by operators. */
@NullMarked
package dev.sluice.worker.fleet;

import org.jspecify.annotations.NullMarked;
