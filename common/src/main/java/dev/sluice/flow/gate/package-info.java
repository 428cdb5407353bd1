// SPDX-License-Identifier: Apache-2.0
/**
 * The gate of a producer decides whether a task may enter now; it never waits, and whoever asks
 * does the waiting.
 *
 * <pre>{@code
 * Admission admission = gate.admit(bytes, clock.nanos());
 * if (admission instanceof Admission.WaitNanos wait) {
 *   // ask again after wait.nanos(), or when something was released
 * }
 * }</pre>
 */
@NullMarked
package dev.sluice.flow.gate;

import org.jspecify.annotations.NullMarked;
