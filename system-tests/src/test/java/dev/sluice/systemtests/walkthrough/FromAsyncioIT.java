// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.walkthrough;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.localkafka.KafkaProcess;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both versions of each row of docs/from-asyncio.md do what they say. */
@Tag("side-by-side")
class FromAsyncioIT {
  private static final Path PAGE = Path.of("..", "docs", "from-asyncio.md");
  private static final int ROWS = 16;
  private static final int AT_ONCE = 4;
  private static final Pattern ROW = Pattern.compile("(?m)^## (.+)$");

  private static final String IMPORTS =
      "import dev.sluice.*; import dev.sluice.producer.*; import dev.sluice.worker.*;"
          + " import dev.sluice.worker.lease.*; import java.time.*; import java.util.*;"
          + " import java.util.concurrent.*; import java.util.concurrent.atomic.*;\n";

  @TempDir private Path folder;

  @Test
  void thePythonVersionsRun() throws Exception {
    Assumptions.assumeTrue(runs("pass"), "there is no python3 here");
    for (Map.Entry<String, String> row : snippets("python").entrySet()) {
      assertThat(runs("import asyncio\n" + row.getValue())).as(row.getKey()).isTrue();
    }
  }

  @Test
  void theJavaVersionsRunOnABroker() throws Exception {
    Map<String, String> rows = snippets("java");
    StringBuilder source = new StringBuilder(IMPORTS);
    source.append("public final class Snippets {\n");
    source.append("static void check(boolean holds) {\n");
    source.append("  if (!holds) { throw new AssertionError(\"it does not hold\"); }\n}\n");
    int number = 0;
    for (String row : rows.values()) {
      source
          .append("public static void row" + number++)
          .append("(String brokers, String queue) throws Exception {\n")
          .append(row)
          .append("}\n");
    }
    source.append("}\n");
    try (URLClassLoader loader = compiled(source.toString());
        KafkaProcess kafka = KafkaProcess.start(1, Map.of(), "512m")) {
      Class<?> snippets = loader.loadClass("Snippets");
      ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
      try {
        Map<String, Future<Object>> running = new LinkedHashMap<>();
        int row = 0;
        for (String name : rows.keySet()) {
          int at = row++;
          running.put(
              name,
              pool.submit(
                  () ->
                      snippets
                          .getMethod("row" + at, String.class, String.class)
                          .invoke(null, kafka.bootstrapServers(), "row-" + at)));
        }
        for (Map.Entry<String, Future<Object>> each : running.entrySet()) {
          assertThat(each.getValue())
              .as(each.getKey())
              .succeedsWithin(java.time.Duration.ofMinutes(3));
        }
      } finally {
        pool.shutdownNow();
      }
    }
  }

  /** The snippets of one language by row; every row has one. */
  private static Map<String, String> snippets(String language) throws IOException {
    String page = Files.readString(PAGE, UTF_8);
    Pattern snippet = Pattern.compile("(?s)```" + language + "\n(.*?)```");
    Map<String, String> found = new LinkedHashMap<>();
    List<Integer> begins = new ArrayList<>();
    List<String> names = new ArrayList<>();
    Matcher rows = ROW.matcher(page);
    while (rows.find()) {
      begins.add(rows.end());
      names.add(rows.group(1));
    }
    for (int i = 0; i < names.size(); i++) {
      int end = i + 1 < begins.size() ? begins.get(i + 1) : page.length();
      Matcher code = snippet.matcher(page.substring(begins.get(i), end));
      assertThat(code.find()).as(language + " of '" + names.get(i) + "'").isTrue();
      found.put(names.get(i), code.group(1));
    }
    assertThat(found).hasSize(ROWS);
    return found;
  }

  private URLClassLoader compiled(String source) throws IOException {
    Path file = Files.writeString(folder.resolve("Snippets.java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    boolean well =
        compiler
            .getTask(
                said,
                null,
                null,
                List.of(
                    "-d",
                    folder.toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    "-proc:none"),
                null,
                compiler.getStandardFileManager(null, null, null).getJavaFileObjects(file))
            .call();
    assertThat(well).as(said.toString()).isTrue();
    return new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader());
  }

  private static boolean runs(String program) throws IOException, InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder("python3", "-c", program)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      return false;
    }
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return false;
    }
    return process.exitValue() == 0;
  }
}
