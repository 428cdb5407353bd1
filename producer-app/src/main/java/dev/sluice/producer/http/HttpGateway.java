// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.ConfigException;
import dev.sluice.producer.TaskProducer;
import dev.sluice.time.Clock;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/**
 * Takes tasks over HTTP/1.1 and publishes them. {@code POST /queues/{queue}/tasks} takes one task
 * as {@code application/json}, or one per line as {@code application/x-ndjson}; key, type, id and
 * the field of the key come as {@code Sluice-Key}, {@code Sluice-Type}, {@code Sluice-Id}, {@code
 * Sluice-Key-Field}, or as {@code ?key=&type=&id=&key-field=}. Thread-safe.
 *
 * <p>202 means that every task was acknowledged. 400, 413, 429 and 503 stop at the line they name;
 * the ids before it are in the answer. 504 lists the tasks whose fate is not known. A body that
 * does not come in time is 408.
 */
public final class HttpGateway implements AutoCloseable {
  private static final int THREAD_QUEUE_MAX = 1_024;
  private static final int ACCEPT_QUEUE_MAX = 128;

  private final Server server;
  private final ServerConnector connector;
  private final GatewayHandler handler;

  /**
   * Starts to serve.
   *
   * @param producer publishes; the caller closes it after the gateway
   * @throws ConfigException if the address cannot be listened on, or a key store cannot be read
   */
  public HttpGateway(TaskProducer producer, GatewaySettings settings, Clock clock) {
    GatewayLimits limits = settings.limits();
    QueuedThreadPool threads =
        new QueuedThreadPool(
            limits.threads(),
            Math.min(8, limits.threads()),
            60_000,
            new ArrayBlockingQueue<>(THREAD_QUEUE_MAX));
    threads.setName("sluice-http");
    threads.setDaemon(true);
    server = new Server(threads);
    connector = new ServerConnector(server, 1, 1, factories(settings));
    connector.setHost(settings.bind());
    connector.setPort(settings.port());
    connector.setIdleTimeout(limits.idle().toMillis());
    connector.setAcceptQueueSize(ACCEPT_QUEUE_MAX);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(limits.connections(), connector));
    handler = new GatewayHandler(producer, settings, clock);
    server.setHandler(handler);
    server.setErrorHandler(new JsonErrors());
    try {
      server.start();
    } catch (Exception e) {
      stop();
      throw new ConfigException(
          "The gateway cannot listen on "
              + settings.bind()
              + ":"
              + settings.port()
              + ": "
              + reason(e)
              + ". Choose another port with --http, or check the TLS options.",
          e);
    }
  }

  private static String reason(Exception e) {
    Throwable cause = e.getCause() == null ? e : e.getCause();
    return String.valueOf(cause.getMessage());
  }

  private static ConnectionFactory[] factories(GatewaySettings settings) {
    HttpConfiguration http = new HttpConfiguration();
    http.setRequestHeaderSize(settings.limits().headerBytes());
    http.setSendServerVersion(false);
    http.setIdleTimeout(settings.limits().idle().toMillis());
    HttpConnectionFactory plain = new HttpConnectionFactory(http);
    GatewayTls tls = settings.tls();
    if (tls == null) {
      return new ConnectionFactory[] {plain};
    }
    http.addCustomizer(new SecureRequestCustomizer(false));
    return new ConnectionFactory[] {
      new SslConnectionFactory(context(tls), plain.getProtocol()), plain
    };
  }

  private static SslContextFactory.Server context(GatewayTls tls) {
    requireReadable(tls.keyStore());
    SslContextFactory.Server context = new SslContextFactory.Server();
    context.setKeyStorePath(tls.keyStore().toUri().toString());
    context.setKeyStorePassword(tls.password());
    if (tls.trustStore() != null) {
      requireReadable(tls.trustStore());
      context.setTrustStorePath(tls.trustStore().toUri().toString());
      context.setTrustStorePassword(tls.password());
      context.setNeedClientAuth(true);
    }
    return context;
  }

  private static void requireReadable(Path store) {
    if (!Files.isReadable(store)) {
      throw new ConfigException("The key store " + store + " cannot be read; correct its path.");
    }
  }

  /** The port that is listened on. */
  public int port() {
    return connector.getLocalPort();
  }

  /** From now on requests are answered with 503, and {@code /readyz} with it. */
  public void drain() {
    handler.refuseFromNowOn();
  }

  /** Stops listening, and ends what is still running at once; drain first. */
  @Override
  public void close() {
    drain();
    stop();
  }

  /**
   * Waits until no request is open.
   *
   * @return false if the time was up
   * @throws InterruptedException if the thread was interrupted
   */
  public boolean awaitIdle(Duration timeout) throws InterruptedException {
    drain();
    try {
      // Jetty's own: it refuses new connections and completes when the open ones have ended.
      Object ignored =
          connector.shutdown().get(timeout.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS);
      return true;
    } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
      return false;
    }
  }

  private void stop() {
    try {
      server.setStopTimeout(0);
      server.stop();
    } catch (Exception e) {
      org.slf4j.LoggerFactory.getLogger(HttpGateway.class)
          .warn("The HTTP gateway did not stop cleanly", e);
    }
  }

  /**
   * What Jetty refuses before it comes to us: headers that are too large, requests that are none.
   */
  private static final class JsonErrors extends ErrorHandler {
    @Override
    protected void generateResponse(
        org.eclipse.jetty.server.Request request,
        org.eclipse.jetty.server.Response response,
        int code,
        @Nullable String message,
        @Nullable Throwable cause,
        org.eclipse.jetty.util.Callback callback) {
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
      String json = "{\"error\":\"" + HttpStatus.getMessage(code) + "\"}";
      response.write(true, ByteBuffer.wrap(json.getBytes(UTF_8)), callback);
    }
  }
}
