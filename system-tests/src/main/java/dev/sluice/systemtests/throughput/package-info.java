// SPDX-License-Identifier: Apache-2.0
/** The throughput of a worker beside that of a plain consumer loop, measured side by side. */
@NullMarked
package dev.sluice.systemtests.throughput;

import org.jspecify.annotations.NullMarked;
