// SPDX-License-Identifier: Apache-2.0
/** Handlers that need no code: log, sleep, exec, http, and class for code on the class path. */
@NullMarked
package dev.sluice.worker.handler;

import org.jspecify.annotations.NullMarked;
