// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.health;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.ConfigException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code /livez}, {@code /readyz}, {@code /startupz} and {@code /metrics}, with two threads
 * and at most 5 s per request. Backpressure is never ill health: a worker whose partitions are all
 * paused is alive and ready, and its answer names the reasons. {@code /startupz} is true for ever
 * once the worker has been seen ready. Starting and closing are for one thread.
 */
public final class HealthServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HealthServer.class);
  private static final int BACKLOG = 16;
  private static final long REQUEST_MILLIS_MAX = 5_000;
  private static final String JSON = "application/json";
  private static final String TEXT = "text/plain; charset=utf-8";

  /** What is served. Called by the server's threads; must not block. */
  public interface Source {
    /** Whether the worker makes progress or has a reason not to; a false one is to be restarted. */
    boolean live();

    /** Whether it takes part in the group. */
    boolean ready();

    /** The state, as JSON: paused partitions with their reasons, and what else explains it. */
    String json();

    /** The metrics, in Prometheus' text format. */
    String metrics();
  }

  private final HttpServer server;
  private final ProbeThreads threads;
  private final Source source;
  private volatile boolean started;

  /**
   * Starts serving.
   *
   * @param bind the address to listen on
   * @param port the port; 0 chooses a free one
   * @throws ConfigException if the port cannot be listened on
   */
  public HealthServer(String bind, int port, Source source) {
    this(bind, port, source, REQUEST_MILLIS_MAX);
  }

  HealthServer(String bind, int port, Source source, long requestMillisMax) {
    this.source = source;
    try {
      server = HttpServer.create(new InetSocketAddress(bind, port), BACKLOG);
    } catch (IOException | IllegalArgumentException e) {
      // Among the latter: a port beyond 65535, and an address that no name server knows.
      throw new ConfigException(
          "The metrics port "
              + bind
              + ":"
              + port
              + " cannot be listened on: "
              + (e.getMessage() == null ? e : e.getMessage())
              + ". Choose another one with --metrics-port, or an address of this machine with"
              + " --metrics-bind.",
          e);
    }
    threads = new ProbeThreads(requestMillisMax);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  /** The port that is listened on. */
  public int port() {
    return server.getAddress().getPort();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (method.equals("GET") || method.equals("HEAD")) {
        answer(exchange);
      } else {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        send(exchange, 405, TEXT, "only GET and HEAD\n");
      }
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    int status = 200;
    String type = JSON;
    String body;
    try {
      switch (exchange.getRequestURI().getPath()) {
        case "/livez" -> {
          status = source.live() ? 200 : 503;
          body = source.json();
        }
        case "/readyz" -> {
          status = ready() ? 200 : 503;
          body = source.json();
        }
        case "/startupz" -> {
          status = started || ready() ? 200 : 503;
          body = source.json();
        }
        case "/metrics" -> {
          type = "text/plain; version=0.0.4; charset=utf-8";
          body = source.metrics();
        }
        default -> {
          status = 404;
          type = TEXT;
          body = "there are /livez, /readyz, /startupz and /metrics\n";
        }
      }
    } catch (RuntimeException e) {
      LOG.warn("{} cannot be answered", exchange.getRequestURI().getPath(), e);
      status = 500;
      type = TEXT;
      body = "the state cannot be told: " + e + "\n";
    }
    send(exchange, status, type, body);
  }

  private boolean ready() {
    boolean ready = source.ready();
    if (ready) {
      started = true;
    }
    return ready;
  }

  private static void send(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
      exchange.sendResponseHeaders(status, -1);
      return;
    }
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  /** Stops serving at once. Closing twice is the same as once. */
  @Override
  public void close() {
    threads.close(); // first, since the server's own thread may wait for room among them
    server.stop(0);
  }
}
