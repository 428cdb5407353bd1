// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.BackpressureException;
import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.SnoozeException;
import dev.sluice.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Timeout(60)
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the commands are those of POSIX")
class ExecHandlerTest {
  private static final byte[] LARGE = new byte[900_000];

  private static Task<byte[]> task(byte[] payload) {
    return Task.of("orders", "created", payload).id("id-1");
  }

  private static String run(byte[] payload, String... command) throws InterruptedException {
    try {
      Path printed = Files.createTempFile("sluice-exec", ".out");
      try {
        new ExecHandler(List.of(command), Redirect.to(printed.toFile()))
            .handle(task(payload), FakeContext.FIRST);
        return Files.readString(printed);
      } finally {
        Files.delete(printed);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<ProcessHandle> sleepers(String seconds) {
    return ProcessHandle.allProcesses()
        .filter(
            p ->
                p.info().command().orElse("").endsWith("sleep")
                    && Arrays.asList(p.info().arguments().orElse(new String[0])).contains(seconds))
        .toList();
  }

  private static long feeders() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("sluice-exec"))
        .count();
  }

  @Test
  void givesThePayloadOnStandardInput() throws InterruptedException {
    run("hello".getBytes(UTF_8), "sh", "-c", "test \"$(cat)\" = hello");
  }

  @Test
  void givesAnEmptyPayloadAsAnEmptyInput() throws InterruptedException {
    run(new byte[0], "sh", "-c", "test -z \"$(cat)\"");
  }

  @Test
  void letsTheCommandPrintWhereItIsTold() throws InterruptedException {
    assertThat(run("hello".getBytes(UTF_8), "cat")).isEqualTo("hello");
  }

  @Test
  void saysWhatAFailureComplainedOfInItsLastMoment() {
    for (int i = 0; i < 200; i++) {
      assertThatThrownBy(() -> run(new byte[0], "sh", "-c", "echo 'the end' >&2; exit 1"))
          .hasMessageEndingWith("the end");
    }
  }

  @Test
  void worksALargePayloadThatTheCommandWritesOutAtOnce() throws InterruptedException {
    assertThat(run(LARGE, "cat")).hasSize(LARGE.length);
  }

  @Test
  void worksALargePayloadThatIsWrittenToBothOutputs() throws InterruptedException {
    run(LARGE, "sh", "-c", "tee /dev/stderr | test $(wc -c) -eq 900000");
  }

  @Test
  void completesATaskWhosePayloadIsNotRead() throws InterruptedException {
    run(LARGE, "true");

    Awaitility.await().untilAsserted(() -> assertThat(feeders()).isZero());
  }

  @Test
  void saysTheExitCodeAndTheEndOfStandardErrorOfAFailure() {
    assertThatThrownBy(
            () -> run(new byte[0], "sh", "-c", "echo lost >&1; echo 'no such order' >&2; exit 75"))
        .isInstanceOf(RetriableTaskException.class)
        .hasMessage("The command sh exited with 75: no such order");
  }

  @Test
  void keepsOnlyTheEndOfALongComplaint() {
    assertThatThrownBy(
            () ->
                run(
                    new byte[0],
                    "sh",
                    "-c",
                    "i=0; while [ $i -lt 2000 ]; do echo \"line $i of many\" >&2; i=$((i+1)); done;"
                        + " exit 1"))
        .isInstanceOf(RetriableTaskException.class)
        .hasMessageStartingWith("The command sh exited with 1: ...")
        .hasMessageEndingWith("line 1999 of many")
        .satisfies(e -> assertThat(e.getMessage().length()).isBetween(8_000, 8_300));
  }

  @Test
  void tellsTheCommandWhichTaskAndAttemptItIs() throws InterruptedException {
    new ExecHandler(
            List.of(
                "sh",
                "-c",
                "test \"$SLUICE_TASK_ID/$SLUICE_TASK_TYPE/$SLUICE_QUEUE/$SLUICE_ATTEMPT\""
                    + " = 'a?b/created/orders/2'"),
            Redirect.DISCARD)
        .handle(
            Task.of("orders", "created", new byte[0]).id("a\0b"), // no variable may hold a zero
            new FakeContext(2));
  }

  private static void answers(String line) throws InterruptedException {
    run(new byte[0], "sh", "-c", "echo '" + line + "' >> \"$SLUICE_ANSWER\"; exit 1");
  }

  @Test
  void theCommandMaySayMoreThanItsExitCode() throws InterruptedException {
    answers("{\"outcome\":\"done\"}");
    assertThatThrownBy(() -> answers("{\"outcome\":\"fail\",\"message\":\"no such order\"}"))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessage("no such order");
    assertThatThrownBy(() -> answers("{\"outcome\":\"snooze\",\"delay\":\"30s\"}"))
        .isInstanceOfSatisfying(
            SnoozeException.class, e -> assertThat(e.delay()).isEqualTo(Duration.ofSeconds(30)));
    assertThatThrownBy(() -> answers("{\"outcome\":\"backpressure\",\"delay\":\"2s\"}"))
        .isInstanceOf(BackpressureException.class);
    assertThatThrownBy(() -> answers("no JSON"))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessageContaining("SLUICE_ANSWER")
        .hasMessageContaining("no JSON");
  }

  @Test
  void anAnswerWithoutAnOutcomeLeavesItToTheExitCode() {
    assertThatThrownBy(() -> answers("{\"progress\":\"half\"}"))
        .isInstanceOf(RetriableTaskException.class)
        .hasMessageContaining("exited with 1");
  }

  @Test
  void doesNotWaitForWhatTheCommandLeftBehind() throws InterruptedException {
    try {
      run(new byte[0], "sh", "-c", "sleep 81001 & exit 0");
      // It is forked by now, and may not be what it is to be yet: ended too early it would go on.
      Awaitility.await().until(() -> sleepers("81001").size() == 1);
    } finally {
      sleepers("81001").forEach(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void endsTheWholeTreeWhenItsThreadIsInterrupted() {
    assertTreeEnds("82001", "sleep 82001 & sleep 82001");
  }

  @Test
  void killsATreeThatIgnoresTheRequestToEnd() {
    assertTreeEnds("83001", "trap '' TERM; sleep 83001 & sleep 83001");
  }

  private static void assertTreeEnds(String seconds, String script) {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                run(LARGE, "sh", "-c", script);
              } catch (Throwable t) {
                thrown.set(t);
              }
            });
    thread.start();
    try {
      Awaitility.await().until(() -> sleepers(seconds).size() == 2);
      thread.interrupt();

      Awaitility.await().until(() -> !thread.isAlive());
      assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
      Awaitility.await()
          .atMost(Duration.ofSeconds(5))
          .untilAsserted(() -> assertThat(sleepers(seconds)).isEmpty());
      Awaitility.await().untilAsserted(() -> assertThat(feeders()).isZero());
    } finally {
      sleepers(seconds).forEach(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void endsACommandThatNeverStopsTalking() {
    Thread thread =
        new Thread(
            () ->
                assertThatThrownBy(() -> run(new byte[0], "sh", "-c", "sleep 84001 & exec yes"))
                    .isInstanceOf(InterruptedException.class));
    thread.start();
    try {
      Awaitility.await().until(() -> sleepers("84001").size() == 1);
      thread.interrupt();
      Awaitility.await().until(() -> !thread.isAlive());
      Awaitility.await().until(() -> sleepers("84001").isEmpty());
    } finally {
      sleepers("84001").forEach(ProcessHandle::destroyForcibly);
    }
  }

  @Test
  void refusesAProgramThatIsNotThere() {
    assertThatThrownBy(
            () -> new ExecHandler(List.of("no-such-program-anywhere", "x"), Redirect.DISCARD))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("'no-such-program-anywhere'")
        .hasMessageContaining("PATH");
    assertThat(ExecHandler.runnable("/no/such/program", "/bin")).isFalse();
    assertThat(ExecHandler.runnable("/bin", "/bin")).as("a folder is no program").isFalse();
    assertThat(ExecHandler.runnable("sh", "/no/such:/bin:/usr/bin")).isTrue();
  }
}
