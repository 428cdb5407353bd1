// SPDX-License-Identifier: Apache-2.0
/**
 * The recorded history of a run: one JSON line per event, from which a checker judges what was
 * promised.
 */
@NullMarked
package dev.sluice.history;

import org.jspecify.annotations.NullMarked;
