// SPDX-License-Identifier: Apache-2.0
/**
 * The checker: judges from the history files of producers and workers whether what Sluice promises
 * was kept.
 */
@NullMarked
package dev.sluice.systemtests.check;

import org.jspecify.annotations.NullMarked;
