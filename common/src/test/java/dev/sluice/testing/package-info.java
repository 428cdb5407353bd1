// SPDX-License-Identifier: Apache-2.0
/** What the tests of every module share: runs over many seeds, and a clock that is set by hand. */
@NullMarked
package dev.sluice.testing;

import org.jspecify.annotations.NullMarked;
