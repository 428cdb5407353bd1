// SPDX-License-Identifier: Apache-2.0
/** The fleet protocol as records of Kafka: JSON with a version, of bounded size, checked. */
@NullMarked
package dev.sluice.fleet.wire;

import org.jspecify.annotations.NullMarked;
