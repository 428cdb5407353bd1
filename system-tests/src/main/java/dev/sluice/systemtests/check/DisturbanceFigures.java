// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

/**
 * What one disturbance cost.
 *
 * @param kind what was done
 * @param incarnation to whom
 * @param inFlight runs that were under way there
 * @param completedInWindow tasks that had ended there in the commit window before it
 * @param duplicates tasks that ran again because of it
 * @param bound the most that S2 allows
 */
public record DisturbanceFigures(
    Disturbance.Kind kind,
    String incarnation,
    long inFlight,
    long completedInWindow,
    long duplicates,
    long bound) {}
