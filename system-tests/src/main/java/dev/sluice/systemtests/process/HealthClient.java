// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntSupplier;

/** Asks a worker's health port. Thread-safe; each request takes at most two seconds. */
public final class HealthClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final IntSupplier port;

  /**
   * @param port of this machine that the worker listens on; 0 while that is not known
   */
  public HealthClient(IntSupplier port) {
    this.port = port;
  }

  /** Whether {@code /livez} answers 200. */
  public boolean live() {
    return get("/livez").status() == 200;
  }

  /** Whether {@code /readyz} answers 200. */
  public boolean ready() {
    return get("/readyz").status() == 200;
  }

  /** All samples of {@code /metrics}, by name and labels as they are printed; empty if none. */
  public Map<String, Double> metrics() {
    Map<String, Double> samples = new LinkedHashMap<>();
    Answer answer = get("/metrics");
    if (answer.status() != 200) {
      return samples;
    }
    answer
        .body()
        .lines()
        .filter(line -> !line.startsWith("#") && line.contains(" "))
        .forEach(
            line -> {
              int space = line.lastIndexOf(' ');
              samples.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
            });
    return samples;
  }

  /** The sum of the samples of one meter over its labels; 0 if there is none. */
  public double sum(String meter) {
    double sum = 0;
    for (Map.Entry<String, Double> sample : metrics().entrySet()) {
      if (sample.getKey().equals(meter) || sample.getKey().startsWith(meter + "{")) {
        sum += sample.getValue();
      }
    }
    return sum;
  }

  /** What a path answered; status 0 if nothing did. */
  public Answer get(String path) {
    int known = port.getAsInt();
    if (known == 0) {
      return new Answer(0, "it does not listen yet");
    }
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://localhost:" + known + path))
            .timeout(TIMEOUT)
            .build();
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      return new Answer(response.statusCode(), response.body());
    } catch (IOException e) {
      return new Answer(0, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer(0, "interrupted");
    }
  }

  /** Status and text of an answer. */
  public record Answer(int status, String body) {}
}
