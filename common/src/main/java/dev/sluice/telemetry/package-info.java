// SPDX-License-Identifier: Apache-2.0
/**
 * The catalogue of what Sluice measures: every meter with its name, unit, tags and meaning, from
 * which docs/metrics.md is made.
 */
@NullMarked
package dev.sluice.telemetry;

import org.jspecify.annotations.NullMarked;
