// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.cli;

import dev.sluice.ConfigException;
import dev.sluice.queue.CapacityDefinition;
import dev.sluice.queue.FleetConcurrencyDefinition;
import dev.sluice.queue.FleetLimitsDefinition;
import dev.sluice.queue.FleetMode;
import dev.sluice.queue.FleetRateDefinition;
import dev.sluice.queue.Quantities;
import dev.sluice.queue.QueueDefinition;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What all workers and producers of a queue share. */
final class FleetOptions {
  @Option(
      names = "--fleet-rate",
      paramLabel = "N",
      description = "Tasks that all workers together start per second. Default: no limit.")
  private @Nullable Double fleetRate;

  @Option(
      names = "--fleet-burst",
      paramLabel = "N",
      description = "Tasks that may start at once after a rest. Default: a tenth of a second's.")
  private @Nullable Long fleetBurst;

  @Option(
      names = "--fleet-concurrency",
      paramLabel = "N",
      description = "Tasks that all workers together run at once. Default: no limit.")
  private @Nullable Integer fleetConcurrency;

  @Option(
      names = "--fleet-mode",
      paramLabel = "soft|strict",
      description = {
        "What happens to the running tasks of a worker that is cut off: they run on and their",
        "slots are given to others after the lease (soft), or their slots stay taken until their",
        "time-out is over (strict). Default: soft."
      })
  private @Nullable FleetMode fleetMode;

  @Option(
      names = "--capacity",
      paramLabel = "N",
      description = "Tasks that producers may have in the queue. Default: no bound.")
  private @Nullable Long capacity;

  @Option(
      names = "--target-delay",
      paramLabel = "D",
      description = "Producers are slowed down so that tasks wait about so long; with --capacity.")
  private @Nullable String targetDelay;

  /** The definition with what was said on the command line. */
  QueueDefinition over(QueueDefinition base) {
    FleetLimitsDefinition limits = base.fleet();
    if (fleetRate != null) {
      limits =
          limits.withRate(
              fleetBurst == null
                  ? FleetRateDefinition.perSecond(fleetRate)
                  : new FleetRateDefinition(fleetRate, fleetBurst));
    } else if (fleetBurst != null) {
      double rate =
          limits
              .rate()
              .orElseThrow(() -> new ConfigException("--fleet-burst needs --fleet-rate"))
              .rate();
      limits = limits.withRate(new FleetRateDefinition(rate, fleetBurst));
    }
    if (fleetConcurrency != null) {
      limits =
          limits.withConcurrency(
              new FleetConcurrencyDefinition(
                  fleetConcurrency, fleetMode == null ? FleetMode.SOFT : fleetMode));
    } else if (fleetMode != null) {
      int tasks =
          limits
              .concurrency()
              .orElseThrow(() -> new ConfigException("--fleet-mode needs --fleet-concurrency"))
              .limit();
      limits = limits.withConcurrency(new FleetConcurrencyDefinition(tasks, fleetMode));
    }
    return base.withFleet(limits).withCapacity(bounds(base.capacity()));
  }

  private CapacityDefinition bounds(CapacityDefinition base) {
    return new CapacityDefinition(
        capacity == null ? base.tasks() : capacity,
        targetDelay == null ? base.targetDelay() : Optional.of(Quantities.duration(targetDelay)));
  }
}
