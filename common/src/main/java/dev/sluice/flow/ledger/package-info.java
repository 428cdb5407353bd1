// SPDX-License-Identifier: Apache-2.0
/** What is done of one partition, gaps included, and its bounded form in the commit metadata. */
@NullMarked
package dev.sluice.flow.ledger;

import org.jspecify.annotations.NullMarked;
