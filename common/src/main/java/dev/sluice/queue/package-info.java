// SPDX-License-Identifier: Apache-2.0
/**
 * What a queue is: its topic, order, bounds and handlers, from sluice.yaml, the environment and
 * flags, checked strictly.
 */
@NullMarked
package dev.sluice.queue;

import org.jspecify.annotations.NullMarked;
