// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.ProtocolRule;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What is simulated. Times are virtual.
 *
 * @param seed all chance comes from it
 * @param past whether the control topics had a coordinator before
 * @param workers at the start; more join
 * @param producers for the one queue
 * @param grantsPartitions of the grants topic
 * @param rate starts per second that the fleet may have; 0 for no such limit
 * @param burst of that
 * @param concurrency tasks that may run at once; 0 for no such limit
 * @param strict whether that holds without exception
 * @param capacity of the queue; 0 for no bound
 * @param targetDelayMillis the delay that its tasks should have; 0 for none
 * @param drainPerSecond how fast the queue is worked
 * @param faultSeconds how long things go wrong
 * @param calmSeconds how long nothing does, after that
 * @param faultEveryMillis how long it is from one fault to the next, on average
 * @param turnMillis how often a process looks at the log
 * @param faults what can go wrong
 * @param rules that are kept
 */
public record Scenario(
    long seed,
    boolean past,
    int workers,
    int producers,
    int grantsPartitions,
    double rate,
    long burst,
    int concurrency,
    boolean strict,
    long capacity,
    long targetDelayMillis,
    double drainPerSecond,
    int faultSeconds,
    int calmSeconds,
    int faultEveryMillis,
    int turnMillis,
    List<Fault> faults,
    Set<ProtocolRule> rules) {
  /** A small fleet of which much goes wrong; the numbers depend on the seed. */
  public static Scenario small(long seed, Set<ProtocolRule> rules) {
    SplittableRandom random = new SplittableRandom(seed * 31 + 7);
    double[] rates = {5, 20, 100, 500};
    long[] bursts = {1, 5, 20, 50};
    return new Scenario(
        seed,
        seed % 4 != 0,
        2 + random.nextInt(5),
        1 + random.nextInt(3),
        1 + random.nextInt(3),
        rates[random.nextInt(rates.length)],
        bursts[random.nextInt(bursts.length)],
        1 + random.nextInt(20),
        random.nextBoolean(),
        100 + random.nextInt(2_000),
        random.nextBoolean() ? 0 : 1_000,
        50 + random.nextInt(2_000),
        25,
        35,
        1_200,
        15,
        Fault.ANY,
        rules);
  }

  /** The same with so many workers, whose grants are in so many partitions. */
  Scenario withFleet(int otherWorkers, int otherPartitions) {
    return new Scenario(
        seed,
        past,
        otherWorkers,
        producers,
        otherPartitions,
        rate,
        burst,
        concurrency,
        strict,
        capacity,
        targetDelayMillis,
        drainPerSecond,
        faultSeconds,
        calmSeconds,
        faultEveryMillis,
        turnMillis,
        faults,
        rules);
  }

  /** The same with other faults, more often. */
  Scenario withFaults(List<Fault> other, int everyMillis) {
    return new Scenario(
        seed,
        past,
        workers,
        producers,
        grantsPartitions,
        rate,
        burst,
        concurrency,
        strict,
        capacity,
        targetDelayMillis,
        drainPerSecond,
        faultSeconds,
        calmSeconds,
        everyMillis,
        turnMillis,
        other,
        rules);
  }
}
