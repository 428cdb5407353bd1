// SPDX-License-Identifier: Apache-2.0
/**
 * Leases: who may do how much of a shared limit, and until when. The giver counts a lease longer
 * than the holder does, and takes a share for given until the holder has said that it gave it up,
 * so the sum of what holders may use never passes the limit.
 *
 * <p>After Gray and Cheriton, Leases: An Efficient Fault-Tolerant Mechanism for Distributed File
 * Cache Consistency, 1989.
 */
@NullMarked
package dev.sluice.flow.lease;

import org.jspecify.annotations.NullMarked;
