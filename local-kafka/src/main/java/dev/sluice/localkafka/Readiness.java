// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;

/** Waits until the brokers of a cluster answer. */
final class Readiness {
  private static final long ASK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final Duration CLOSE = Duration.ofMillis(500);

  private Readiness() {}

  /**
   * Waits until as many brokers are registered, or until the process behind them has died.
   *
   * @throws LocalKafkaException after {@code seconds}, or as soon as {@code alive} says no
   */
  static void await(String bootstrap, int brokers, int seconds, BooleanSupplier alive) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    Map<String, Object> properties = new HashMap<>();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("reconnect.backoff.ms", "20");
    properties.put("reconnect.backoff.max.ms", "100");
    // So that no question outlives its answer here, and closing does not wait for one.
    properties.put("request.timeout.ms", "1000");
    properties.put("default.api.timeout.ms", "1000");
    Admin admin = Admin.create(properties);
    try {
      String last = "no answer";
      while (System.nanoTime() - deadline < 0) {
        if (!alive.getAsBoolean()) {
          throw new LocalKafkaException("A broker at " + bootstrap + " ended before it was ready");
        }
        try {
          int found = admin.describeCluster().nodes().get(1, TimeUnit.SECONDS).size();
          if (found >= brokers) {
            return;
          }
          last = found + " of " + brokers + " brokers";
        } catch (ExecutionException | TimeoutException e) {
          last = String.valueOf(e.getMessage());
        }
        // A broker that starts needs the processor more than the one who asks. An interruption ends
        // this wait, and then the next question.
        LockSupport.parkNanos(ASK_AGAIN_NANOS);
      }
      throw new LocalKafkaException(
          "The broker at " + bootstrap + " was not ready within " + seconds + " s (" + last + ")");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LocalKafkaException("Interrupted while waiting for the broker at " + bootstrap, e);
    } finally {
      admin.close(CLOSE);
    }
  }
}
