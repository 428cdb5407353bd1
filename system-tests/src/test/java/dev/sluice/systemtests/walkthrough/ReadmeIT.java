// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.walkthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.systemtests.process.JavaProcess;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every command and snippet of the README is run or compiled. The commands run as the launcher runs
 * them, but on the classes that this build has just made, and on a port that is free.
 */
@Tag("side-by-side")
class ReadmeIT {
  private static final Path README = Path.of("..", "README.md");
  private static final Path FOLDER = Path.of("target", "readme");
  private static final Map<String, String> MAINS =
      Map.of(
          "kafka", "dev.sluice.localkafka.cli.KafkaCommand",
          "produce", "dev.sluice.producer.cli.ProduceMain",
          "work", "dev.sluice.worker.cli.WorkMain",
          "demo", "dev.sluice.systemtests.demo.DemoCommand");
  private static final Duration PATIENCE = Duration.ofSeconds(120);

  @Test
  void theJavaSnippetsCompile() throws IOException {
    List<String> snippets = blocks("java");
    assertThat(snippets).isNotEmpty();
    for (String snippet : snippets) {
      String source =
          "import dev.sluice.*; import dev.sluice.producer.*; import dev.sluice.worker.*;\n"
              + "class Snippet { record Welcome(String to) {}\n"
              + "interface Mail { void send(Welcome welcome); }\n"
              + "static void run(Mail mail) throws Exception {\n"
              + snippet
              + "}}\n";
      JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
      StringWriter errors = new StringWriter();
      JavaFileObject file =
          new SimpleJavaFileObject(
              URI.create("string:///Snippet.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
              return source;
            }
          };
      Files.createDirectories(FOLDER);
      List<String> options =
          List.of(
              "-proc:none", "-cp", System.getProperty("java.class.path"), "-d", FOLDER.toString());
      boolean compiles = compiler.getTask(errors, null, null, options, null, List.of(file)).call();
      assertThat(compiles).as("%s%n%s", snippet, errors).isTrue();
    }
  }

  @Test
  void theConfigurationIsAccepted() throws IOException {
    List<String> configurations = blocks("yaml");
    assertThat(configurations).isNotEmpty();
    for (String yaml : configurations) {
      assertThat(SluiceConfig.parse("README.md", yaml, Map.of()).queues()).isNotEmpty();
    }
  }

  @Test
  void theCommandsOfTheThreeTerminalsRunAndExitWithZero() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String kafka = command("kafka").replace("9092", Integer.toString(port));
    try (JavaProcess broker = start(kafka, null, List.of(), "kafka.log")) {
      await().atMost(PATIENCE).until(() -> broker.logTail().contains("ready: "));
      List<String> where = List.of("-b", "localhost:" + port);

      String produce = command("produce");
      Matcher printed = Pattern.compile("printf '([^']*)' \\| (.*)").matcher(produce);
      assertThat(printed.matches()).isTrue();
      Path input = FOLDER.resolve("input.jsonl");
      Files.writeString(input, printed.group(1).replace("\\n", "\n"));
      try (JavaProcess producer = start(printed.group(2), input, where, "produce.log")) {
        assertThat(producer.awaitExit(PATIENCE)).as(producer.logTail()).isZero();
        assertThat(producer.logTail()).contains("accepted 2");
      }
      try (JavaProcess worker = start(command("work"), null, where, "work.log")) {
        assertThat(worker.awaitExit(PATIENCE)).as(worker.logTail()).isZero();
      }
      broker.terminate();
      assertThat(broker.awaitExit(Duration.ofSeconds(30))).isZero();
    }
  }

  @Test
  void theDemoOfTheFilesRunsAndItsSummaryHolds() throws Exception {
    String small =
        command("demo") + " --job files --max-files 300 --dir " + Path.of("..").toAbsolutePath();
    try (JavaProcess demo = start(small, null, List.of("-o", "json"), "demo-files.log")) {
      assertThat(demo.awaitExit(PATIENCE)).as(demo.logTail()).isZero();
      assertThat(demo.logTail()).contains("\"lost\":0").contains("\"wrong\":0");
    }
  }

  /** A short form: how well the downstream is used is not judged on a machine that tests share. */
  @Test
  void theDemoLosesNothingAndKeepsTheCapacity() throws Exception {
    String story = command("demo") + " --seconds 20";
    try (JavaProcess demo = start(story, null, List.of("-o", "json"), "demo.log")) {
      assertThat(demo.awaitExit(PATIENCE)).as(demo.logTail()).isIn(0, 1);
      String json =
          demo.logTail()
              .lines()
              .filter(line -> line.startsWith("{\"flowControl\""))
              .findFirst()
              .orElseThrow(() -> new AssertionError(demo.logTail()));
      JsonNode summary = new ObjectMapper().readTree(json);
      assertThat(summary.path("lost").asLong(-1)).as(json).isZero();
      assertThat(summary.path("dead").asLong(-1)).as(json).isZero();
      assertThat(summary.path("maxBacklog").asLong()).as(json).isBetween(1L, 1_000L);
      assertThat(summary.path("maxConcurrent").asLong()).as(json).isBetween(1L, 20L);
    }
  }

  @Test
  void theTestCommandIsWhatCiRuns() throws IOException {
    String tests =
        blocks("sh").stream().filter(block -> block.startsWith("mvn")).findFirst().orElseThrow();
    assertThat(Files.readString(Path.of("..", ".ci", "run"))).contains(tests.strip());
  }

  private static JavaProcess start(String line, Path input, List<String> more, String log)
      throws IOException {
    List<String> words = new ArrayList<>(words(line));
    assertThat(words.get(0)).isEqualTo("./sluice");
    String main = MAINS.get(words.get(1));
    List<String> arguments = new ArrayList<>(words.subList(2, words.size()));
    arguments.addAll(more);
    Files.createDirectories(FOLDER);
    Path file = FOLDER.resolve(log);
    Files.deleteIfExists(file);
    return input == null
        ? JavaProcess.start(main, List.of(), arguments, file)
        : JavaProcess.startWithInput(main, arguments, input, file);
  }

  /** Words as a shell splits them, single quotes included. */
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher word = Pattern.compile("'([^']*)'|(\\S+)").matcher(line);
    while (word.find()) {
      words.add(word.group(1) == null ? word.group(2) : word.group(1));
    }
    return words;
  }

  private static String command(String name) throws IOException {
    return blocks("sh").stream()
        .map(String::strip)
        .filter(block -> block.contains("./sluice " + name))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> blocks(String language) throws IOException {
    return Pattern.compile("```" + language + "\\n(.*?)```", Pattern.DOTALL)
        .matcher(Files.readString(README))
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.toList());
  }
}
