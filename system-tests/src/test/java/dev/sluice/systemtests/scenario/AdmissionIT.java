// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtests.process.BacklogSampler;
import dev.sluice.systemtests.process.JavaProcess;
import dev.sluice.systemtests.process.WorkerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who is let in first when a queue gets full, and what the gateway says to those who are not. */
@Tag(Scenario.SIDE_BY_SIDE)
class AdmissionIT {
  private static final int PARTITIONS = 6;
  private static final int CAPACITY = 2_000;
  private static final Pattern PORT = Pattern.compile("listening on port (\\d+)");

  private final HttpClient client = HttpClient.newHttpClient();

  @Test
  void sheddableTasksAreRefusedFirstAndTheGatewaySaysWhenToComeBack() {
    try (Scenario scenario = new Scenario("admission", PARTITIONS);
        Producers producers = new Producers(scenario, 200_000)) {
      Fleet fleet =
          new Fleet(scenario, "--handler", "sleep:20ms", "--capacity", "" + CAPACITY)
              .of("admission", 1);
      JavaProcess gateway = producers.start("gateway", "--http", "0");
      int port = port(gateway);
      try (BacklogSampler backlog =
          new BacklogSampler(
              scenario.kafka().bootstrapServers(), Scenario.GROUP, Scenario.QUEUE, PARTITIONS)) {
        // Until the first coordinator gives, the gateway says so with the same answer.
        Scenario.awaitThat(
            "room", Duration.ofSeconds(30), () -> post(port, "critical").statusCode() / 100 == 2);

        producers.start("sheddable", "--sheddable");
        producers.awaitAccepted(CAPACITY * 3L);
        long shed = backlog.most();

        producers.start("critical");
        Scenario.awaitThat(
            "critical tasks to fill the queue",
            Duration.ofSeconds(60),
            () -> producers.accepted(2) > CAPACITY);
        long sheddableBefore = producers.accepted(1);
        long criticalBefore = producers.accepted(2);
        producers.awaitAccepted(producers.accepted() + CAPACITY);
        long sheddableMeanwhile = producers.accepted(1) - sheddableBefore;
        long criticalMeanwhile = producers.accepted(2) - criticalBefore;

        HttpResponse<String> refused = post(port, "sheddable");
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(429);
        long retryAfter = Long.parseLong(refused.headers().firstValue("Retry-After").orElse("0"));

        producers.stopAll();
        Scenario.awaitReady(fleet.join("admission-more"));
        scenario.awaitDrained(Duration.ofMinutes(2));
        fleet.stopAll();
        Scenario.figures(
            "admission",
            Map.of(
                "capacity",
                CAPACITY,
                "maxBacklogSheddable",
                shed,
                "maxBacklog",
                backlog.most(),
                "sheddableWhileCritical",
                sheddableMeanwhile,
                "criticalMeanwhile",
                criticalMeanwhile,
                "retryAfterSeconds",
                retryAfter));
        assertThat(shed).isBetween(CAPACITY / 2L, (long) (CAPACITY * 0.8));
        assertThat(backlog.most()).isLessThanOrEqualTo(CAPACITY);
        assertThat(sheddableMeanwhile).isLessThan(criticalMeanwhile / 10 + 100);
        assertThat(retryAfter).isBetween(1L, 60L);
      }
    }
  }

  @Test
  void aQueueWhoseTopicIsGoneHoldsBackNoOther() throws Exception {
    try (Scenario scenario = new Scenario("admission-gone", PARTITIONS);
        Producers producers = new Producers(scenario, 200_000)) {
      Fleet fleet =
          new Fleet(scenario, "--handler", "sleep:20ms", "--capacity", "" + CAPACITY).of("gone", 1);
      WorkerProcess other =
          scenario.workerOf(
              "gone", "other", List.of("-Xmx192m"), "--handler", "sleep:1ms", "--capacity", "100");
      Scenario.awaitReady(other);
      assertThat(other.stop(Duration.ofSeconds(20))).isZero();
      scenario.admin().deleteTopics(List.of("gone")).all().get(10, TimeUnit.SECONDS);
      producers.start("producer");
      producers.awaitAccepted(CAPACITY * 2L);
      producers.stopAll();
      fleet.leave(fleet.members().get(0));
    }
  }

  private static int port(JavaProcess gateway) {
    Scenario.awaitThat(
        "a gateway that listens",
        Duration.ofSeconds(30),
        () -> PORT.matcher(gateway.logTail()).find());
    Matcher found = PORT.matcher(gateway.logTail());
    assertThat(found.find()).isTrue();
    return Integer.parseInt(found.group(1));
  }

  private HttpResponse<String> post(int port, String criticality) {
    try {
      return client.send(
          HttpRequest.newBuilder(
                  URI.create("http://127.0.0.1:" + port + "/queues/" + Scenario.QUEUE + "/tasks"))
              .header("Content-Type", "application/json")
              .header("Sluice-Criticality", criticality)
              .timeout(Duration.ofSeconds(20))
              .POST(HttpRequest.BodyPublishers.ofString("{\"n\":1}"))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
