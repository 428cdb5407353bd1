// SPDX-License-Identifier: Apache-2.0
/** The waiting before the gate: threads wait here in order for what the pure gate decides. */
@NullMarked
package dev.sluice.producer.gate;

import org.jspecify.annotations.NullMarked;
