// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Stands between clients and a broker on the loopback address, and loses the answer to a request of
 * one client to join its group; the connection stays. Brokers were seen to do that: of two requests
 * of one member, of which the first was sent over a connection that is gone, the later one was
 * never answered. Thread-safe.
 */
final class JoinLosingProxy implements AutoCloseable {
  private static final int JOIN_GROUP = 11;
  private static final int FRAME_BYTES_MAX = 64 << 20;
  private static final int LOWEST_PORT = 12_000;
  private static final int HIGHEST_PORT = 32_000;

  private final ServerSocket server;
  private final int brokerPort;
  private final List<Socket> sockets = new ArrayList<>();
  private volatile String victim = "";
  private volatile boolean lost;

  /** Listens; there need not be a broker yet. */
  JoinLosingProxy() {
    try {
      server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    brokerPort = freePort();
    start("proxy", this::accept);
  }

  /** Below those that the system gives to connections. */
  private static int freePort() {
    while (true) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
      try (ServerSocket ignored = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return port;
      } catch (IOException e) {
        // In use: another one.
      }
    }
  }

  /** Where the broker is to listen. */
  int brokerPort() {
    return brokerPort;
  }

  /** What the broker is to advertise. */
  String address() {
    return "localhost:" + server.getLocalPort();
  }

  /** The next answer to a join of this client is lost. */
  void loseJoinOf(String clientId) {
    lost = false;
    victim = clientId;
  }

  /** Whether that has happened. */
  boolean lost() {
    return lost;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Socket broker = new Socket(InetAddress.getLoopbackAddress(), brokerPort);
        synchronized (sockets) {
          sockets.add(client);
          sockets.add(broker);
        }
        Set<Integer> losing = ConcurrentHashMap.newKeySet();
        start("proxy-requests", () -> pump(client, broker, frame -> request(frame, losing)));
        start("proxy-answers", () -> pump(broker, client, frame -> !answerIsLost(frame, losing)));
      } catch (IOException e) {
        // The broker is not there yet, or all is over.
      }
    }
  }

  private interface Frames {
    boolean pass(ByteBuffer frame);
  }

  private static void pump(Socket from, Socket to, Frames frames) {
    try (from;
        to) {
      DataInputStream in = new DataInputStream(from.getInputStream());
      DataOutputStream out = new DataOutputStream(to.getOutputStream());
      while (true) {
        int size = in.readInt();
        if (size < 8 || size > FRAME_BYTES_MAX) {
          return;
        }
        byte[] frame = new byte[size];
        in.readFully(frame);
        if (frames.pass(ByteBuffer.wrap(frame))) {
          ByteBuffer whole = ByteBuffer.allocate(size + 4).putInt(size).put(frame);
          out.write(whole.array());
          out.flush();
        }
      }
    } catch (IOException e) {
      // One side is gone: so is the other.
    }
  }

  private boolean request(ByteBuffer frame, Set<Integer> losing) {
    int api = frame.getShort();
    frame.getShort(); // the version
    int correlation = frame.getInt();
    int length = frame.getShort();
    if (api == JOIN_GROUP && length > 0) {
      byte[] client = new byte[length];
      frame.get(client);
      if (new String(client, StandardCharsets.UTF_8).equals(victim)) {
        victim = "";
        losing.add(correlation);
      }
    }
    return true;
  }

  private boolean answerIsLost(ByteBuffer frame, Set<Integer> losing) {
    boolean loses = losing.remove(frame.getInt());
    lost |= loses;
    return loses;
  }

  private static void start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    try {
      server.close();
      synchronized (sockets) {
        for (Socket socket : sockets) {
          socket.close();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
