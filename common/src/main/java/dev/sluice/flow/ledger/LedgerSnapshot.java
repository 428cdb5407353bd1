// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.ledger;

/**
 * What is committed of a partition, read at one moment.
 *
 * @param position the committed offset: everything below it is done
 * @param metadata the gaps above it, for {@link LedgerCodec}; empty where there is none
 * @param covered how many completions of the ledger this describes
 * @param complete whether all that is done fitted
 */
public record LedgerSnapshot(long position, String metadata, long covered, boolean complete) {}
