// SPDX-License-Identifier: Apache-2.0
/**
 * The story of the demo: a service that can be overloaded, and a fleet that does not overload it.
 */
@NullMarked
package dev.sluice.systemtests.demo.downstream;

import org.jspecify.annotations.NullMarked;
