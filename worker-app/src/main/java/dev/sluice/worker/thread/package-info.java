// SPDX-License-Identifier: Apache-2.0
/**
 * The threads that run handlers: each reports what it finished and takes what is next in one visit
 * to the engine.
 */
@NullMarked
package dev.sluice.worker.thread;

import org.jspecify.annotations.NullMarked;
