// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.systemtests.process.JavaProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.TreeSet;

/** One worker process of the demo, and what it says of itself. */
final class DemoWorker {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final HttpClient client = HttpClient.newHttpClient();
  private final String name;
  private final int port;
  private final JavaProcess process;
  private int maxLaneDepth;
  private int laneCapacity;
  private long pausesNow;
  private long pausesBefore;
  private long succeeded;
  private long dead;
  private String view = "starting";

  DemoWorker(String name, int port, JavaProcess process) {
    this.name = name;
    this.port = port;
    this.process = process;
  }

  /** Asks the worker how it is; what it said last stays if it does not answer. */
  void look(double secondsSinceLast) throws InterruptedException {
    JsonNode state;
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/livez"))
              .timeout(Duration.ofSeconds(2))
              .build();
      state = MAPPER.readTree(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
    } catch (IOException e) {
      view = process.alive() ? "starting" : "ended";
      return;
    }
    int depth = 0;
    int running = 0;
    int paused = 0;
    long pauses = 0;
    TreeSet<String> reasons = new TreeSet<>();
    for (JsonNode partition : state.path("partitions")) {
      depth += partition.path("laneDepth").asInt();
      running += partition.path("running").asInt();
      pauses += partition.path("pauses").asLong();
      maxLaneDepth = Math.max(maxLaneDepth, partition.path("maxLaneDepth").asInt());
      laneCapacity = Math.max(laneCapacity, partition.path("laneCapacity").asInt());
      paused += partition.path("paused").isEmpty() ? 0 : 1;
      partition.path("paused").forEach(reason -> reasons.add(reason.path("reason").asText()));
    }
    if (pauses < pausesNow) {
      pausesBefore += pausesNow; // partitions went to another worker, and took their count along
    }
    pausesNow = pauses;
    long done = 0;
    dead = 0;
    for (JsonNode handler : state.path("handlers")) {
      done += handler.path("succeeded").asLong();
      dead += handler.path("dead").asLong();
    }
    double rate = (done - succeeded) / Math.max(0.001, secondsSinceLast);
    succeeded = done;
    view =
        String.format(
            "lanes %4d  running %2d  paused %2d of %2d %-24s %6.0f/s  done %d",
            depth, running, paused, state.path("partitions").size(), reasons, rate, done);
  }

  @Override
  public String toString() {
    return name + "  " + view;
  }

  int maxLaneDepth() {
    return maxLaneDepth;
  }

  int laneCapacity() {
    return laneCapacity;
  }

  long pauses() {
    return pausesBefore + pausesNow;
  }

  long succeeded() {
    return succeeded;
  }

  long dead() {
    return dead;
  }

  JavaProcess process() {
    return process;
  }
}
