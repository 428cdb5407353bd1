// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.wire.JsonPayloadCodec;
import java.lang.ProcessBuilder.Redirect;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HandlerSpecTest {
  private static final JsonPayloadCodec JSON = new JsonPayloadCodec();
  private static final List<Object> SEEN = new ArrayList<>();

  public record Order(int n) {}

  public static class Typed implements TaskHandler<Order>, AutoCloseable {
    @Override
    public void handle(Task<Order> task, TaskContext context) {
      SEEN.add(task.payload());
      SEEN.add(Thread.currentThread().getContextClassLoader());
    }

    @Override
    public void close() {
      SEEN.add("closed");
    }
  }

  public static class Failing implements TaskHandler<byte[]> {
    public Failing() {
      throw new IllegalStateException("no database");
    }

    @Override
    public void handle(Task<byte[]> task, TaskContext context) {}
  }

  public static class BadStatic implements TaskHandler<byte[]> {
    static final int NUMBER = Integer.parseInt("none");

    @Override
    public void handle(Task<byte[]> task, TaskContext context) {}
  }

  public abstract static class Unfinished implements TaskHandler<byte[]> {}

  private static TaskHandler<byte[]> parse(String spec) {
    return HandlerSpec.parse(spec, JSON, HandlerSpecTest.class.getClassLoader(), Redirect.DISCARD);
  }

  private static String of(Class<?> type) {
    return "class:" + type.getName();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "log",
        "sleep:0ms",
        "sleep:PT0.001S",
        "exec:sh -c 'exit 0'",
        "http://localhost:1/x",
        "http:http://localhost:1/x",
        "https://localhost/x",
        "http:https://localhost/x"
      })
  void knowsTheHandlersThatNeedNoCode(String spec) {
    assertThat(parse(spec)).isNotNull();
  }

  @Test
  void logsAndSleepsAndExecutes() throws Exception {
    Task<byte[]> task = Task.of("q", "t", new byte[0]).id("i\n2026 ERROR forged");
    for (String spec : List.of("log", "sleep:1ms", "exec:true")) {
      parse(spec).handle(task, FakeContext.FIRST);
    }
  }

  @Test
  void isInterruptedInItsSleep() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(
            () -> parse("sleep:1h").handle(Task.of("q", "t", new byte[0]), FakeContext.FIRST))
        .isInstanceOf(InterruptedException.class);
  }

  @Test
  void callsATypedHandlerWithItsPayloadDecoded() throws Exception {
    SEEN.clear();
    URLClassLoader loader = new URLClassLoader(new URL[0], getClass().getClassLoader());
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    TaskHandler<byte[]> handler =
        HandlerSpec.parse(of(Typed.class), JSON, loader, Redirect.DISCARD);

    handler.handle(Task.of("q", "t", "{\"n\":7}".getBytes(UTF_8)), FakeContext.FIRST);
    ((AutoCloseable) handler).close();

    assertThat(SEEN).containsExactly(new Order(7), loader, "closed");
    assertThat(Thread.currentThread().getContextClassLoader()).isSameAs(before);
  }

  @Test
  void givesUpATaskWhosePayloadIsNotOfTheType() {
    assertThatThrownBy(
            () ->
                parse(of(Typed.class))
                    .handle(Task.of("q", "t", "hello".getBytes(UTF_8)), FakeContext.FIRST))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessageContaining(Order.class.getName());
  }

  @Test
  void saysWhatIsWrongWithAClass() {
    assertWrong("class:", "names no class");
    assertWrong("class:org.example.Missing", "--classpath");
    assertWrong("class:java.lang.String", "no handler");
    assertWrong(of(Failing.class), "no database");
    assertWrong(of(Unfinished.class), "not abstract");
    assertWrong(of(BadStatic.class), "ExceptionInInitializerError");
  }

  @Test
  void saysWhatIsWrongWithASpecification() {
    assertWrong("slep:1s", "Did you mean 'sleep'?");
    assertWrong("LOG", "Did you mean 'log'?");
    assertWrong("", "exec:COMMAND");
    assertWrong("line:cat", "Handlers are log, sleep:DURATION, exec:COMMAND, lines:COMMAND,");
    assertWrong("lines:", "names no command");
    assertWrong("lines:no-such-program-here", "is no program on the PATH");
    assertWrong("log:loudly", "log takes none");
    assertWrong("sleep", "no duration");
    assertWrong("sleep:-PT1S", "from 0 to 1 day");
    assertWrong("sleep:999999999999d", "from 0 to 1 day");
    assertWrong("sleep:400d", "from 0 to 1 day");
    assertWrong("exec:", "exec:cat");
    assertWrong("exec:sh 'open", "does not close it");
    assertWrong("http:", "http://HOST");
    assertWrong("http:localhost:80", "http://HOST");
  }

  private static void assertWrong(String spec, String saying) {
    assertThatThrownBy(() -> parse(spec))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(saying);
  }
}
