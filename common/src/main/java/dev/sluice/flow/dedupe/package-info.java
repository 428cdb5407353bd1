// SPDX-License-Identifier: Apache-2.0
/** Which tasks of a partition came before under the same id. Pure. */
@NullMarked
package dev.sluice.flow.dedupe;

import org.jspecify.annotations.NullMarked;
