// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtests.process.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks a worker's JVM for its heap, by jcmd. */
final class HeapProbe {
  private static final Pattern USED = Pattern.compile("used (\\d+)K");

  private HeapProbe() {}

  /** What is in the heap now, garbage included. */
  static long usedKilobytes(Scenario scenario, WorkerProcess worker) {
    long used = 0;
    for (String line : jcmd(scenario, worker, "GC.heap_info").split("\\R")) {
      Matcher matcher = USED.matcher(line);
      // The generations, and not the metaspace, which is no heap.
      if (line.contains("generation") && matcher.find()) {
        used += Long.parseLong(matcher.group(1));
      }
    }
    return used;
  }

  /** What is left in the heap after a full collection. */
  static long liveKilobytes(Scenario scenario, WorkerProcess worker) {
    assertThat(jcmd(scenario, worker, "GC.run")).contains("Command executed successfully");
    return usedKilobytes(scenario, worker);
  }

  private static String jcmd(Scenario scenario, WorkerProcess worker, String command) {
    Path out = scenario.folder().resolve("jcmd.txt");
    try {
      Process jcmd =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(worker.process().pid()),
                  command)
              .redirectErrorStream(true)
              .redirectOutput(out.toFile())
              .start();
      assertThat(jcmd.waitFor(20, TimeUnit.SECONDS)).isTrue();
      return Files.readString(out);
    } catch (IOException e) {
      throw new AssertionError("jcmd " + command + " did not work", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("Interrupted in jcmd " + command, e);
    }
  }
}
