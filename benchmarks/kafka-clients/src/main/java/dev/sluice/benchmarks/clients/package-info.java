// SPDX-License-Identifier: Apache-2.0
/** What users write with the Kafka clients alone. */
@NullMarked
package dev.sluice.benchmarks.clients;

import org.jspecify.annotations.NullMarked;
