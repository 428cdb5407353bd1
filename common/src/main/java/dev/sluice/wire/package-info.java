// SPDX-License-Identifier: Apache-2.0
/**
 * The form of a task on the wire: a Kafka record with CloudEvents headers, and any foreign record
 * read as a task.
 */
@NullMarked
package dev.sluice.wire;

import org.jspecify.annotations.NullMarked;
