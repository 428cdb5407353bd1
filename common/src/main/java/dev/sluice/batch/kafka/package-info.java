// SPDX-License-Identifier: Apache-2.0
/** Reads how far batches are. */
@NullMarked
package dev.sluice.batch.kafka;

import org.jspecify.annotations.NullMarked;
