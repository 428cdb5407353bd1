// SPDX-License-Identifier: Apache-2.0
/** The worker as a library: build it, start it, look at it, stop it. */
@NullMarked
package dev.sluice.worker;

import org.jspecify.annotations.NullMarked;
