// SPDX-License-Identifier: Apache-2.0
/**
 * Where tasks come from: JSON lines, plain lines and CSV, read one at a time from a stream, each a
 * task or a line that is none and why.
 */
@NullMarked
package dev.sluice.producer.source;

import org.jspecify.annotations.NullMarked;
