// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import dev.sluice.Order;
import dev.sluice.cli.Commands;
import dev.sluice.history.HistoryWriter;
import dev.sluice.kafka.KafkaSettings;
import dev.sluice.time.SystemClock;
import dev.sluice.worker.Worker;
import dev.sluice.worker.WorkerMetrics;
import dev.sluice.worker.health.HealthServer;
import dev.sluice.worker.lease.Lease;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.LoggerFactory;

/**
 * A program that takes tasks one by one, as its author would write it: some threads in a loop over
 * {@link Worker#leases}. Of a hundred tasks one is given back, one fails, and one is forgotten.
 */
final class TakeMain {
  private static final int THREADS = 8;
  private static final long WORK_NANOS = TimeUnit.MILLISECONDS.toNanos(3);

  private TakeMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    Commands.configureLogging(false);
    Map<String, String> flags = new HashMap<>();
    Map<String, String> kafka = new HashMap<>();
    for (int i = 1; i + 1 < arguments.length; i += 2) {
      String value = arguments[i + 1];
      if (arguments[i].equals("--command-property")) {
        kafka.put(value.split("=", 2)[0], value.split("=", 2)[1]);
      } else {
        flags.put(arguments[i], value);
      }
    }
    String name = flags.get("--name");
    CountDownLatch over = new CountDownLatch(1);
    try (HistoryWriter history =
            HistoryWriter.ofWorker(
                Path.of(flags.get("--history")),
                name,
                UUID.randomUUID().toString(),
                SystemClock.INSTANCE);
        Worker worker =
            Worker.builder(KafkaSettings.of(flags.get("-b"), kafka))
                .name(name)
                .history(history)
                .queue(
                    arguments[0],
                    queue ->
                        queue
                            .order(Order.KEY)
                            .concurrency(THREADS)
                            .pull()
                            .timeout(Duration.ofSeconds(2))
                            .retry(
                                new dev.sluice.flow.retry.RetryPolicy(
                                    20, Duration.ofMillis(20), 1, Duration.ofMillis(20), 0)))
                .start();
        HealthServer health = health(worker)) {
      LoggerFactory.getLogger(TakeMain.class)
          .info("[worker={}] Metrics and health on port {}", name, health.port());
      Commands.onStopSignal(worker::stop, over, 30_000);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Thread thread = new Thread(() -> loop(worker));
        thread.start();
        threads.add(thread);
      }
      for (Thread thread : threads) {
        thread.join();
      }
      boolean well = worker.awaitShutdown();
      System.exit(well ? 0 : 1);
    } finally {
      over.countDown();
    }
  }

  private static void loop(Worker worker) {
    for (Lease lease : worker.leases()) {
      long kind = lease.context().offset() % 100;
      boolean first = lease.context().attempt() == 1;
      LockSupport.parkNanos(WORK_NANOS);
      try {
        if (kind == 7 && first) {
          lease.fail(new IllegalStateException("the first attempt fails"));
        } else if (kind == 13 && first && lease.context().offset() % 1_000 == 13) {
          LockSupport.parkNanos(1); // forgotten: its time will be up
        } else {
          lease.complete();
        }
      } catch (IllegalStateException e) {
        LoggerFactory.getLogger(TakeMain.class).info("{}", e.getMessage());
      }
    }
  }

  private static HealthServer health(Worker worker) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    WorkerMetrics.bind(worker, registry);
    return new HealthServer(
        "localhost",
        0,
        new HealthServer.Source() {
          @Override
          public boolean live() {
            return worker.live();
          }

          @Override
          public boolean ready() {
            return worker.ready();
          }

          @Override
          public String json() {
            return worker.json();
          }

          @Override
          public String metrics() {
            return registry.scrape();
          }
        });
  }
}
