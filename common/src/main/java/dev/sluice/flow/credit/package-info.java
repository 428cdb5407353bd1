// SPDX-License-Identifier: Apache-2.0
/**
 * Credit bounds what producers may add to a queue: what is granted and not yet finished never
 * passes the capacity, and a delay target sizes it.
 */
@NullMarked
package dev.sluice.flow.credit;

import org.jspecify.annotations.NullMarked;
