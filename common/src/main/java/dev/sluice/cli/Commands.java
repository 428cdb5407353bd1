// SPDX-License-Identifier: Apache-2.0
package dev.sluice.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import dev.sluice.ConfigException;
import dev.sluice.QueueFullException;
import dev.sluice.SluiceException;
import dev.sluice.kafka.BrokerUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;

/** Runs commands: what every one of them does alike. */
public final class Commands {
  private Commands() {}

  /** Runs a command and returns its exit code; errors become one line on standard error. */
  public static int run(Object command, String... args) {
    CommandLine line = new CommandLine(command);
    line.setCommandName("sluice " + line.getCommandName());
    line.getCommandSpec().version("sluice " + version());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler((e, commandLine, result) -> failed(e, commandLine));
    return line.execute(args);
  }

  private static int failed(Exception e, CommandLine line) {
    boolean verbose =
        line.getParseResult() != null && line.getParseResult().hasMatchedOption("--verbose");
    String text = e instanceof SluiceException ? e.getMessage() : e.toString();
    line.getErr().println(line.getCommandName() + ": " + text);
    if (verbose) {
      e.printStackTrace(line.getErr());
    } else if (!(e instanceof SluiceException)) {
      line.getErr().println("This is a defect of Sluice; --verbose shows where it happened.");
    }
    line.getErr().flush();
    return exitCode(e);
  }

  /** The version that was built, as Maven has it. */
  static String version() {
    Properties built = new Properties();
    try (InputStream in = Commands.class.getResourceAsStream("version.properties")) {
      built.load(Objects.requireNonNull(in, "version.properties is not on the class path"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return built.getProperty("version");
  }

  /** The exit code of a failure. */
  public static int exitCode(Throwable e) {
    if (e instanceof ConfigException) {
      return ExitCodes.USAGE;
    }
    if (e instanceof BrokerUnavailableException) {
      return ExitCodes.NO_BROKER;
    }
    return e instanceof QueueFullException ? ExitCodes.QUEUE_FULL : ExitCodes.FAILED;
  }

  /** Logs to standard error: Sluice's own lines, and of the Kafka clients what went wrong. */
  public static void configureLogging(boolean verbose) {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("%d{HH:mm:ss.SSS} %-5level %msg%n%ex{6}");
    encoder.start();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder);
    appender.start();
    Logger root = context.getLogger("ROOT");
    root.addAppender(appender);
    root.setLevel(Level.WARN);
    context.getLogger("dev.sluice").setLevel(verbose ? Level.DEBUG : Level.INFO);
    // The clients repeat themselves several times a second while a broker is away.
    context.getLogger("org.apache.kafka").setLevel(verbose ? Level.WARN : Level.ERROR);
  }

  /**
   * On the first SIGTERM or SIGINT, calls {@code drain} and waits until {@code drained} is down or
   * the time is up; then the process exits with 0, as one that did what it was told. A second
   * signal ends it at once.
   *
   * @param drain asks for the end; called once, on a thread of its own
   * @param drained counted down when the command is through
   * @param most the longest to wait, in milliseconds
   */
  public static void onStopSignal(Runnable drain, CountDownLatch drained, long most) {
    AtomicBoolean asked = new AtomicBoolean();
    Runnable onSignal =
        () -> {
          if (!asked.compareAndSet(false, true)) {
            Runtime.getRuntime().halt(ExitCodes.FAILED);
          }
          Thread stopper = new Thread(() -> drain(drain, drained, most), "sluice-stop");
          stopper.setDaemon(true);
          stopper.start();
        };
    handle("TERM", onSignal);
    handle("INT", onSignal);
  }

  private static void drain(Runnable drain, CountDownLatch drained, long most) {
    drain.run();
    try {
      if (!drained.await(most, TimeUnit.MILLISECONDS)) {
        Runtime.getRuntime().halt(ExitCodes.FAILED);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** By reflection: the class is in every JDK, but not in the API that code is compiled against. */
  private static void handle(String name, Runnable onSignal) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Commands.class.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                switch (method.getName()) {
                  case "handle":
                    onSignal.run();
                    return null;
                  case "hashCode":
                    return System.identityHashCode(self);
                  case "equals":
                    return self == arguments[0];
                  default:
                    return "sluice-signal-handler";
                }
              });
      Object term = signal.getConstructor(String.class).newInstance(name);
      signal.getMethod("handle", signal, handler).invoke(null, term, proxy);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      LoggerFactory.getLogger(Commands.class)
          .warn("SIG{} cannot be caught here and ends the process at once: {}", name, e.toString());
    }
  }
}
