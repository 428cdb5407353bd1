// SPDX-License-Identifier: Apache-2.0
/**
 * Shares divide a capacity among those who demand it: max-min fair, by weight, never more than
 * there is.
 */
@NullMarked
package dev.sluice.flow.share;

import org.jspecify.annotations.NullMarked;
