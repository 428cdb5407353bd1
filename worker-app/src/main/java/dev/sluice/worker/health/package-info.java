// SPDX-License-Identifier: Apache-2.0
/** The worker's state over HTTP: /livez, /readyz, /startupz and /metrics. */
@NullMarked
package dev.sluice.worker.health;

import org.jspecify.annotations.NullMarked;
