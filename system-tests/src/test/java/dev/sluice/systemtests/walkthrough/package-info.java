// SPDX-License-Identifier: Apache-2.0
/** What the documents say, run and compiled. */
@NullMarked
package dev.sluice.systemtests.walkthrough;

import org.jspecify.annotations.NullMarked;
