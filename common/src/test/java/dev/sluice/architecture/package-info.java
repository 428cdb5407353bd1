// SPDX-License-Identifier: Apache-2.0
/** The layout of Sluice as rules, which each module runs against its own classes. */
@NullMarked
package dev.sluice.architecture;

import org.jspecify.annotations.NullMarked;
