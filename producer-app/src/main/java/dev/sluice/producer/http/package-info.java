// SPDX-License-Identifier: Apache-2.0
/**
 * The HTTP gateway: tasks by {@code POST /queues/{queue}/tasks}, one or a stream of JSON lines,
 * with every request bounded in bytes, lines and time.
 */
@NullMarked
package dev.sluice.producer.http;

import org.jspecify.annotations.NullMarked;
