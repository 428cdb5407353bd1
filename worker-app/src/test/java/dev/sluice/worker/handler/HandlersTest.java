// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.ConfigException;
import dev.sluice.PermanentTaskException;
import dev.sluice.RetriableTaskException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.wire.JsonPayloadCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HandlersTest {
  static final TaskContext CONTEXT =
      new TaskContext() {
        @Override
        public int attempt() {
          return 2;
        }

        @Override
        public boolean cancelled() {
          return false;
        }

        @Override
        public String worker() {
          return "w";
        }

        @Override
        public String topic() {
          return "t";
        }

        @Override
        public int partition() {
          return 0;
        }

        @Override
        public long offset() {
          return 7;
        }
      };

  static TaskHandler<byte[]> handler(String spec) {
    return HandlerSpec.parse(spec, new JsonPayloadCodec(), HandlersTest.class.getClassLoader());
  }

  static Task<byte[]> task(byte[] payload) {
    return Task.of("q", "type", payload).id("id-1");
  }

  @Test
  void execFeedsNineHundredKilobytesThroughACommandThatAnswersAsMuch() throws Exception {
    handler("exec:cat").handle(task(new byte[900 << 10]), CONTEXT);
  }

  @Test
  void execOfACommandThatDoesNotReadItsInputCompletes() throws Exception {
    handler("exec:true").handle(task(new byte[900 << 10]), CONTEXT);
  }

  @Test
  void execPassesPayloadIdAndAttempt(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("said");
    handler("exec:sh -c 'echo $SLUICE_TASK_ID $SLUICE_ATTEMPT > " + file + "; cat >> " + file + "'")
        .handle(task("payload".getBytes(UTF_8)), CONTEXT);
    assertThat(file).hasContent("id-1 2\npayload");
  }

  @Test
  void execFailsWithWhatTheCommandSaidLast() {
    assertThatExceptionOfType(RetriableTaskException.class)
        .isThrownBy(
            () ->
                handler("exec:sh -c 'echo no disk >&2; exit 3'").handle(task(new byte[0]), CONTEXT))
        .withMessageContaining("exited with 3")
        .withMessageContaining("no disk");
  }

  @Test
  void execOfACommandThatDoesNotExistIsADeadLetter() {
    assertThatExceptionOfType(PermanentTaskException.class)
        .isThrownBy(() -> handler("exec:no-such-command-here").handle(task(new byte[0]), CONTEXT))
        .withMessageContaining("no-such-command-here");
  }

  @Test
  void interruptingExecEndsTheWholeTreeOfProcesses(@TempDir Path folder) throws Exception {
    Path pids = folder.resolve("pids");
    TaskHandler<byte[]> exec =
        handler("exec:sh -c 'sleep 1000 & echo $! $$ > " + pids + "; sleep 1000'");
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    FutureTask<Void> attempt =
        new FutureTask<>(
            () -> {
              try {
                exec.handle(task(new byte[0]), CONTEXT);
              } catch (Throwable e) {
                thrown.set(e);
              }
              return null;
            });
    Thread thread = new Thread(attempt, "attempt");
    thread.start();
    await().until(() -> Files.exists(pids) && Files.readString(pids).endsWith("\n"));
    List<ProcessHandle> tree = tree(pids);
    assertThat(tree).hasSizeGreaterThanOrEqualTo(2).allMatch(ProcessHandle::isAlive);
    thread.interrupt();
    attempt.get();
    assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(tree).noneMatch(ProcessHandle::isAlive));
  }

  private static List<ProcessHandle> tree(Path pids) throws IOException {
    return List.of(Files.readString(pids).trim().split(" ")).stream()
        .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
        .toList();
  }

  @Test
  void sleepLastsAndEndsByAnInterruption() throws Exception {
    long before = System.nanoTime();
    handler("sleep:20ms").handle(task(new byte[0]), CONTEXT);
    assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(20_000_000);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> handler("sleep:1h").handle(task(new byte[0]), CONTEXT))
        .isInstanceOf(InterruptedException.class);
  }

  /** Takes its payload decoded. */
  public static final class Sum implements TaskHandler<int[]> {
    static volatile int last;

    @Override
    public void handle(Task<int[]> task, TaskContext context) {
      int sum = 0;
      for (int n : task.payload()) {
        sum += n;
      }
      last = sum;
    }
  }

  /** Cannot be made. */
  public static final class Failing implements TaskHandler<byte[]> {
    public Failing() {
      throw new IllegalStateException("no licence");
    }

    @Override
    public void handle(Task<byte[]> task, TaskContext context) {}
  }

  @Test
  void aClassGetsItsPayloadInItsType() throws Exception {
    TaskHandler<byte[]> sum = handler("class:" + Sum.class.getName());
    sum.handle(task("[1,2,39]".getBytes(UTF_8)), CONTEXT);
    assertThat(Sum.last).isEqualTo(42);
    assertThatExceptionOfType(PermanentTaskException.class)
        .isThrownBy(() -> sum.handle(task("nonsense".getBytes(UTF_8)), CONTEXT));
  }

  @Test
  void aClassThatCannotServeIsRefusedWithTheReason() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> handler("class:no.such.Handler"))
        .withMessageContaining("no.such.Handler")
        .withMessageContaining("--classpath");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> handler("class:java.lang.String"))
        .withMessageContaining("TaskHandler");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> handler("class:" + Failing.class.getName()))
        .withMessageContaining("no licence");
  }

  @Test
  void anUnknownHandlerGetsASuggestion() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> handler("exce:cat"))
        .withMessageContaining("Did you mean 'exec'?");
  }

  @Test
  void wordsAreSplitAsAShellWould() {
    assertThat(CommandWords.split("  a  b\tc ")).containsExactly("a", "b", "c");
    assertThat(CommandWords.split("sh -c 'echo \"x\" \\n'"))
        .containsExactly("sh", "-c", "echo \"x\" \\n");
    assertThat(CommandWords.split("a\"b c\"'d e'f \"\" \\ g"))
        .containsExactly("ab cd ef", "", " g");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> CommandWords.split("echo 'x"))
        .withMessageContaining("quote");
    assertThatExceptionOfType(ConfigException.class).isThrownBy(() -> CommandWords.split("  "));
  }
}
