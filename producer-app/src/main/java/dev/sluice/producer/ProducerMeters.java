// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.producer.gate.AdmissionClient;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;

/** What a producer counts. Thread-safe; without a registry it costs nothing. */
final class ProducerMeters {
  private final @Nullable Counter accepted;
  private final @Nullable Counter rejected;
  private final @Nullable Counter unknown;

  ProducerMeters(@Nullable MeterRegistry registry, AdmissionClient admission) {
    if (registry == null) {
      accepted = null;
      rejected = null;
      unknown = null;
      return;
    }
    accepted = outcome(registry, "accepted");
    rejected = outcome(registry, "rejected");
    unknown = outcome(registry, "unknown");
    Gauge.builder("sluice.producer.in.flight.tasks", admission, AdmissionClient::tasks)
        .description("Tasks that were admitted and have no outcome yet")
        .register(registry);
    Gauge.builder("sluice.producer.in.flight.bytes", admission, AdmissionClient::bytes)
        .description("The bytes of the tasks in flight")
        .baseUnit("bytes")
        .register(registry);
    Gauge.builder("sluice.producer.waiting", admission, AdmissionClient::waiting)
        .description("Threads that wait to submit")
        .register(registry);
  }

  private static Counter outcome(MeterRegistry registry, String outcome) {
    return Counter.builder("sluice.producer.tasks")
        .description("Submitted tasks by how the submit ended")
        .tag("outcome", outcome)
        .register(registry);
  }

  void countAccepted() {
    increment(accepted);
  }

  void countRejected() {
    increment(rejected);
  }

  void countUnknown() {
    increment(unknown);
  }

  private static void increment(@Nullable Counter counter) {
    if (counter != null) {
      counter.increment();
    }
  }
}
