// SPDX-License-Identifier: Apache-2.0
/**
 * The command demo: a broker, a producer and two workers as processes, on real files, checked at
 * the end.
 */
@NullMarked
package dev.sluice.systemtests.demo;

import org.jspecify.annotations.NullMarked;
