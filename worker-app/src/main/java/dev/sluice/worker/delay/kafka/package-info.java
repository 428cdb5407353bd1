// SPDX-License-Identifier: Apache-2.0
/** Serves delayed tasks: moves them from one delay topic to the next and into their queues. */
@NullMarked
package dev.sluice.worker.delay.kafka;

import org.jspecify.annotations.NullMarked;
