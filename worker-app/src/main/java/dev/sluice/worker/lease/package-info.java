// SPDX-License-Identifier: Apache-2.0
/** Tasks that are taken one by one, under the same limits as those that are handled. */
@NullMarked
package dev.sluice.worker.lease;

import org.jspecify.annotations.NullMarked;
