// SPDX-License-Identifier: Apache-2.0
/**
 * What happens to a task after a failure: which class the failure has, and when the next attempt
 * is.
 */
@NullMarked
package dev.sluice.flow.retry;

import org.jspecify.annotations.NullMarked;
