// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.BackpressureException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.SnoozeException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.time.SystemClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinesHandlerTest {
  /** Does what the payload says. */
  private static final String SCRIPT =
      """
      import json, os, sys, time
      for line in sys.stdin:
          task = json.loads(line)
          say = task.get("payload", task.get("payloadBase64"))
          answer = {"id": task["id"], "outcome": "done"}
          if isinstance(say, str):
              answer["result"] = say
          elif "exit" in say:
              print("about to go", file=sys.stderr, flush=True)
              os._exit(say["exit"])
          elif "print" in say:
              print(say["print"], flush=True)
              continue
          elif "sleep" in say:
              time.sleep(say["sleep"])
          elif "pid" in say:
              answer["result"] = os.getpid()
          elif "long" in say:
              answer["result"] = "x" * say["long"]
          else:
              if "progress" in say:
                  print(json.dumps({"id": task["id"], "progress": say["progress"]}), flush=True)
              answer.update(say)
              answer["id"] = say.get("as", task["id"])
              answer.setdefault("result", task["attempt"])
          print(json.dumps(answer), flush=True)
      """;

  @TempDir Path folder;
  private LinesHandler handler;
  private final Heard heard = new Heard();

  /** What a handler said in its context. */
  private static final class Heard extends ForwardingContext {
    final List<String> progress = new ArrayList<>();
    final List<Task<?>> submitted = new ArrayList<>();
    Object result;

    @Override
    public void heartbeat(String said) {
      progress.add(said);
    }

    @Override
    public String submit(Task<?> child) {
      submitted.add(child);
      return "child";
    }

    @Override
    public void result(Object value) {
      result = value;
    }
  }

  @BeforeEach
  void start() throws IOException {
    Assumptions.assumeTrue(
        ExecHandler.runnable("python3", System.getenv("PATH")), "there is no python3 here");
    Path script = Files.writeString(folder.resolve("handler.py"), SCRIPT);
    handler = new LinesHandler(List.of("python3", script.toString()), SystemClock.INSTANCE);
  }

  @AfterEach
  void end() {
    if (handler != null) {
      handler.close();
    }
  }

  private void work(String payload) throws InterruptedException {
    handler.handle(Task.of("q", "t", payload.getBytes(UTF_8)).id("id-1").key("k"), heard);
  }

  @Test
  void allOutcomesArrive() throws Exception {
    work("{\"progress\":\"42 %\",\"result\":{\"n\":1.1}}");
    assertThat(heard.progress).containsExactly("42 %");
    assertThat(heard.result).hasToString("{\"n\":1.1}");
    work(
        "{\"submit\":[{\"type\":\"u\",\"key\":\"k2\",\"payload\":[1]},{\"queue\":\"r\",\"id\":\"c\",\"payload\":2}]}");
    assertThat(heard.submitted).hasSize(2);
    assertThat(heard.submitted.get(0).queue()).isEqualTo("q");
    assertThat(heard.submitted.get(0).keyAsString()).isEqualTo("k2");
    assertThat(heard.submitted.get(1).id()).isEqualTo("c");
    assertThat(heard.submitted.get(1).type()).isEqualTo("t");
    work("no json");
    assertThat(((JsonNode) heard.result).asText()).isEqualTo("bm8ganNvbg==");

    assertThatThrownBy(() -> work("{\"outcome\":\"retry\",\"message\":\"later\"}"))
        .isInstanceOf(RetriableTaskException.class)
        .hasMessage("later");
    assertThatThrownBy(() -> work("{\"outcome\":\"fail\",\"message\":\"never\"}"))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessage("never");
    assertThatThrownBy(() -> work("{\"outcome\":\"snooze\",\"delay\":\"5s\"}"))
        .isInstanceOfSatisfying(
            SnoozeException.class, e -> assertThat(e.delay()).isEqualTo(Duration.ofSeconds(5)));
    assertThatThrownBy(() -> work("{\"outcome\":\"backpressure\",\"delay\":\"2s\"}"))
        .isInstanceOfSatisfying(
            BackpressureException.class,
            e -> assertThat(e.retryAfter()).isEqualTo(Duration.ofSeconds(2)));
    assertThatThrownBy(() -> work("{\"outcome\":\"maybe\"}"))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessageContaining("Outcomes are done, retry, fail, snooze and backpressure");
    assertThatThrownBy(() -> work("{\"outcome\":\"snooze\",\"delay\":\"soon\"}"))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessageContaining("soon");
  }

  @Test
  void oneProcessWorksManyTasksAndIsReplacedWhenItEnds() throws Exception {
    work("{\"pid\":1}");
    Object first = heard.result;
    work("{\"pid\":1}");
    assertThat(heard.result).isEqualTo(first);
    assertThatThrownBy(() -> work("{\"exit\":7}"))
        .isInstanceOf(RetriableTaskException.class)
        .hasMessageContaining("ended with exit code 7")
        .hasMessageContaining("about to go");
    assertThatThrownBy(() -> work("{\"pid\":1}"))
        .as("at once after that")
        .isInstanceOf(BackpressureException.class);
    await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptionsInstanceOf(BackpressureException.class)
        .until(
            () -> {
              work("{\"pid\":1}");
              return !first.equals(heard.result);
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"print\":\"hello\"}|no JSON object: 'hello'",
        "{\"as\":\"id-2\"}|answered about another task",
        "{\"long\":2000000}|printed a line of more than 1048576 bytes"
      })
  void aProcessThatAnswersWronglyIsEnded(String payload, String message) throws Exception {
    work("{\"pid\":1}");
    long pid = ((JsonNode) heard.result).asLong();
    assertThatThrownBy(() -> work(payload))
        .isInstanceOf(RetriableTaskException.class)
        .hasMessageContaining(message);
    assertThat(ProcessHandle.of(pid).map(ProcessHandle::isAlive))
        .isNotEqualTo(java.util.Optional.of(true));
    work("{\"pid\":1}");
    assertThat(((JsonNode) heard.result).asLong()).isNotEqualTo(pid);
  }

  @Test
  void anInterruptionEndsTheProcess() throws Exception {
    work("{\"pid\":1}");
    long pid = ((JsonNode) heard.result).asLong();
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    CountDownLatch over = new CountDownLatch(1);
    Thread worker =
        new Thread(
            () -> {
              try {
                work("{\"sleep\":60}");
              } catch (Throwable t) {
                thrown.set(t);
              }
              over.countDown();
            });
    worker.start();
    await().atMost(Duration.ofSeconds(10)).until(() -> worker.getState() == Thread.State.WAITING);
    worker.interrupt();
    assertThat(over.await(20, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    await()
        .atMost(Duration.ofSeconds(10))
        .until(() -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
  }

  @ParameterizedTest
  @CsvSource({"python3,handler.py", "node,handler.mjs"})
  void theExamplesRun(String program, String file) throws Exception {
    Assumptions.assumeTrue(
        ExecHandler.runnable(program, System.getenv("PATH")), "there is no " + program + " here");
    Path script = Path.of("..", "examples", "lines", file);
    try (LinesHandler example =
        new LinesHandler(List.of(program, script.toString()), SystemClock.INSTANCE)) {
      example.handle(task("{\"a\":1}"), heard);
      assertThat(((JsonNode) heard.result).get("length").asInt()).isPositive();
      assertThatThrownBy(() -> example.handle(task("{\"impossible\":true}"), heard))
          .isInstanceOf(PermanentTaskException.class)
          .hasMessage("it says so itself");
    }
  }

  private static Task<byte[]> task(String payload) {
    return Task.of("q", "t", payload.getBytes(UTF_8)).id("id-9");
  }

  /** A context that tells nothing of its own. */
  private abstract static class ForwardingContext implements TaskContext {
    @Override
    public int attempt() {
      return FakeContext.FIRST.attempt();
    }

    @Override
    public boolean cancelled() {
      return false;
    }

    @Override
    public String worker() {
      return FakeContext.FIRST.worker();
    }

    @Override
    public String topic() {
      return FakeContext.FIRST.topic();
    }

    @Override
    public int partition() {
      return FakeContext.FIRST.partition();
    }

    @Override
    public long offset() {
      return FakeContext.FIRST.offset();
    }
  }
}
