// SPDX-License-Identifier: Apache-2.0
/** The bounded buffer of one partition: a bound on count and on bytes, each with two watermarks. */
@NullMarked
package dev.sluice.flow.lane;

import org.jspecify.annotations.NullMarked;
