// SPDX-License-Identifier: Apache-2.0
/** The words a user of Sluice types: the task, its handler, and the outcomes of handling it. */
@NullMarked
package dev.sluice;

import org.jspecify.annotations.NullMarked;
