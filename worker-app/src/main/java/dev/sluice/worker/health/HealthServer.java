// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.health;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.ConfigException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Serves {@code /livez}, {@code /readyz}, {@code /startupz} and {@code /metrics}. Backpressure is
 * never ill health: a worker whose partitions are all paused is alive and ready, and its answer
 * names the reasons.
 */
public final class HealthServer implements AutoCloseable {
  private static final int BACKLOG = 16;

  /** What is served. Called by the server's threads. */
  public interface Source {
    /** Whether the worker makes progress or has a reason not to; a false one is to be restarted. */
    boolean live();

    /** Whether it takes part in the group. */
    boolean ready();

    /** The state, as JSON. */
    String json();

    /** The metrics, in Prometheus' text format. */
    String metrics();
  }

  private final HttpServer server;
  private final ThreadPoolExecutor executor;

  /**
   * Starts serving.
   *
   * @param bind the address to listen on
   * @param port the port; 0 chooses a free one
   * @throws ConfigException if the port cannot be listened on
   */
  public HealthServer(String bind, int port, Source source) {
    try {
      server = HttpServer.create(new InetSocketAddress(bind, port), BACKLOG);
    } catch (IOException e) {
      throw new ConfigException(
          "The metrics port "
              + bind
              + ":"
              + port
              + " cannot be listened on: "
              + e.getMessage()
              + ". Choose another one with --metrics-port.",
          e);
    }
    executor =
        new ThreadPoolExecutor(
            2,
            2,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(BACKLOG),
            task -> {
              Thread thread = new Thread(task, "sluice-health");
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(executor);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            answer(exchange, source);
          }
        });
    server.start();
  }

  /** The port that is listened on. */
  public int port() {
    return server.getAddress().getPort();
  }

  private static void answer(HttpExchange exchange, Source source) throws IOException {
    String method = exchange.getRequestMethod();
    if (!method.equals("GET") && !method.equals("HEAD")) {
      send(exchange, 405, "text/plain", "only GET and HEAD\n");
      return;
    }
    switch (exchange.getRequestURI().getPath()) {
      case "/livez" -> send(exchange, source.live() ? 200 : 503, "application/json", source.json());
      case "/readyz", "/startupz" ->
          send(exchange, source.ready() ? 200 : 503, "application/json", source.json());
      case "/metrics" ->
          send(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", source.metrics());
      default ->
          send(exchange, 404, "text/plain", "there are /livez, /readyz, /startupz and /metrics\n");
    }
  }

  private static void send(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }
}
