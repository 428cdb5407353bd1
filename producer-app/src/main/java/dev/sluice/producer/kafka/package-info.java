// SPDX-License-Identifier: Apache-2.0
/** Reads what workers tell submitters. */
@NullMarked
package dev.sluice.producer.kafka;

import org.jspecify.annotations.NullMarked;
