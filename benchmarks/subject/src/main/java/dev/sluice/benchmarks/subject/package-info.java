// SPDX-License-Identifier: Apache-2.0
/** What every system under test shares: the work of a task, and the measuring of it. JDK only. */
@NullMarked
package dev.sluice.benchmarks.subject;

import org.jspecify.annotations.NullMarked;
