// SPDX-License-Identifier: Apache-2.0
/**
 * The settings of Kafka clients, passed through and with secrets redacted, and the topics that
 * Sluice needs.
 */
@NullMarked
package dev.sluice.kafka;

import org.jspecify.annotations.NullMarked;
