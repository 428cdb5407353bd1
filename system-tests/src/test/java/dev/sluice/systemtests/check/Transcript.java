// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import dev.sluice.Order;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A history of several processes as a reader writes it: one event per line, one millisecond per
 * line.
 *
 * <pre>
 *   p  accepted 0/5 k      process, event, partition/offset, key or -
 *   w1 start 0/5 k
 *   w1 failed 0/5 k STALE
 *   w1 kill
 *   w1 suspend
 *   w1 resume
 * </pre>
 *
 * A process named p... is a producer; the incarnation of a worker is its name.
 */
final class Transcript {
  static final Duration STEP = Duration.ofMillis(1);

  private final List<String> lines;

  Transcript(String text) {
    this(text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList());
  }

  Transcript(List<String> lines) {
    this.lines = lines;
  }

  Report check(Path folder, Order order) {
    return check(folder, order, Duration.ZERO);
  }

  Report check(Path folder, Order order, Duration commitWindow) {
    return check(folder, CheckOptions.undisturbed(order), commitWindow);
  }

  Report check(Path folder, CheckOptions options, Duration commitWindow) {
    Map<String, StringBuilder> files = new LinkedHashMap<>();
    List<Disturbance> disturbances = new ArrayList<>();
    Map<String, Long> suspended = new LinkedHashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String[] words = lines.get(i).split(" +");
      long mono = (i + 1) * STEP.toNanos();
      switch (words[1]) {
        case "kill" -> disturbances.add(Disturbance.kill(words[0], mono));
        case "suspend" -> suspended.put(words[0], mono);
        case "resume" ->
            disturbances.add(Disturbance.suspension(words[0], suspended.get(words[0]), mono));
        default ->
            files
                .computeIfAbsent(words[0], name -> new StringBuilder())
                .append(json(words, mono))
                .append('\n');
      }
    }
    List<Path> producers = new ArrayList<>();
    List<Path> workers = new ArrayList<>();
    files.forEach(
        (name, text) ->
            (name.startsWith("p") ? producers : workers).add(write(folder, name, text)));
    return new HistoryChecker(options.disturbedBy(disturbances, commitWindow))
        .check(producers, workers);
  }

  private static Path write(Path folder, String name, CharSequence text) {
    try {
      return Files.writeString(folder.resolve(name + ".jsonl"), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String json(String[] words, long mono) {
    String[] place = words[2].split("/");
    String key = words[3].equals("-") ? "null" : '"' + words[3] + '"';
    String line =
        "{\"event\":\""
            + words[1]
            + "\",\"id\":\"id-"
            + words[2]
            + "\",\"key\":"
            + key
            + ",\"partition\":"
            + place[0]
            + ",\"offset\":"
            + place[1]
            + ",\"at\":1,\"mono\":"
            + mono;
    if (words.length > 4) {
      line += ",\"error\":\"" + words[4] + "\"";
    }
    if (!words[0].startsWith("p")) {
      line +=
          ",\"queue\":\"q\",\"attempt\":1,\"worker\":\"w\",\"incarnation\":\"" + words[0] + "\"";
    }
    return line + "}";
  }
}
