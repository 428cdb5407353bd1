// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.Task;
import dev.sluice.producer.TaskProducer;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** An open loop of tasks: each is due at its time, whatever became of those before it. */
final class Offers {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final TaskProducer producer;
  private final Map<String, Long> dueMicros = new ConcurrentHashMap<>();
  private final Map<String, Long> acceptedMicros = new ConcurrentHashMap<>();

  Offers(TaskProducer producer) {
    this.producer = producer;
  }

  /** Offers tasks for so long, evenly. */
  void offer(int perSecond, Duration time, LongFunction<Task<?>> tasks) {
    long begun = SystemClock.INSTANCE.nanos();
    long begunMicros = SystemClock.INSTANCE.epochMillis() * 1_000;
    long count = perSecond * time.toMillis() / 1_000;
    for (long i = 0; i < count; i++) {
      long due = TimeUnit.SECONDS.toNanos(i) / perSecond;
      long early = begun + due - SystemClock.INSTANCE.nanos();
      while (early > 0) {
        LockSupport.parkNanos(early);
        early = begun + due - SystemClock.INSTANCE.nanos();
      }
      var handle = producer.submitAsync(tasks.apply(i));
      dueMicros.put(handle.id(), begunMicros + due / 1_000);
      var ignored =
          handle
              .accepted()
              .thenAccept(
                  acceptance ->
                      acceptedMicros.put(handle.id(), SystemClock.INSTANCE.epochMillis() * 1_000));
    }
  }

  /**
   * How long they waited.
   *
   * @param fromDue from when they were due to the start of the handler, in milliseconds, sorted
   * @param fromAccepted the same, from their acceptance by the brokers
   */
  record Waits(double[] fromDue, double[] fromAccepted) {
    static double percentile(double[] sorted, double share) {
      return sorted[(int) Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    }

    double p99() {
      return percentile(fromAccepted, 0.99);
    }

    double p99FromDue() {
      return percentile(fromDue, 0.99);
    }

    double p50() {
      return percentile(fromAccepted, 0.5);
    }
  }

  /** Reads from the histories of workers when they were started; each has to be. */
  Waits waits(List<Path> histories) {
    return waits(List.of(this), histories);
  }

  /** The same of several together. */
  static Waits waits(List<Offers> all, List<Path> histories) {
    Map<String, Long> started = starts(histories);
    DoubleStream.Builder fromDue = DoubleStream.builder();
    DoubleStream.Builder fromAccepted = DoubleStream.builder();
    for (Offers offers : all) {
      offers.dueMicros.forEach(
          (id, due) -> {
            Long start = started.get(id);
            assertThat(start).as("start of " + id).isNotNull();
            long accepted = offers.acceptedMicros.getOrDefault(id, start);
            fromDue.add((start - due) / 1e3);
            fromAccepted.add(Math.max(0, (start - accepted) / 1e3));
          });
    }
    return new Waits(fromDue.build().sorted().toArray(), fromAccepted.build().sorted().toArray());
  }

  /**
   * How long the tasks of other producers waited from their acceptance, in milliseconds, sorted.
   */
  static double[] waitsOf(List<Path> producers, List<Path> workers) {
    Map<String, Long> accepted = accepted(producers);
    return starts(workers).entrySet().stream()
        .filter(start -> accepted.containsKey(start.getKey()))
        .mapToDouble(start -> Math.max(0, start.getValue() - accepted.get(start.getKey())) / 1e3)
        .sorted()
        .toArray();
  }

  /** When each task was accepted, in epoch microseconds. */
  static Map<String, Long> accepted(List<Path> producers) {
    return times(producers, "accepted");
  }

  /** When each task was started first, in epoch microseconds. */
  static Map<String, Long> starts(List<Path> histories) {
    return times(histories, "start");
  }

  private static Map<String, Long> times(List<Path> histories, String event) {
    Map<String, Long> started = new ConcurrentHashMap<>();
    for (Path history : histories) {
      try (Stream<String> lines = Files.lines(history)) {
        lines
            .filter(line -> line.startsWith("{\"event\":\"" + event + "\""))
            .forEach(
                line -> {
                  try {
                    JsonNode node = JSON.readTree(line);
                    started.merge(node.path("id").asText(), node.path("at").asLong(), Math::min);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return started;
  }
}
