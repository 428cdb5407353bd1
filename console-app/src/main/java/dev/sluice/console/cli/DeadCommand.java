// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.ConfigException;
import dev.sluice.cli.Commands;
import dev.sluice.cli.ConnectionOptions;
import dev.sluice.cli.ExitCodes;
import dev.sluice.console.dead.DeadLetter;
import dev.sluice.console.dead.DeadLetterFilter;
import dev.sluice.console.dead.DeadLetters;
import dev.sluice.queue.QueueDefinition;
import dev.sluice.queue.SluiceConfig;
import dev.sluice.time.SystemClock;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sluice dead}: what failed for good, and what is to become of it. */
@Command(
    name = "dead",
    mixinStandardHelpOptions = true,
    description = "Looks at dead letters, runs them again, or forgets them.",
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed, or letters had to be left because their payload is lost",
      "2:wrong arguments",
      "4:no such letter",
      "69:no broker"
    })
public final class DeadCommand {
  private static final int SHOWN_DEFAULT = 50;
  private static final int SHOWN_MAX = 100_000;
  private static final int CLASSES_MAX = 1_000;
  private static final int MESSAGE_CHARS = 60;
  private static final long PROGRESS_NANOS = TimeUnit.SECONDS.toNanos(2);
  private static final String OTHERS = "(other errors)";

  private final SystemClock clock = SystemClock.INSTANCE;
  private final ObjectMapper mapper = new ObjectMapper();

  enum Output {
    TABLE,
    JSON,
    JSONL
  }

  @Spec private @Nullable CommandSpec spec;

  /** How something is printed. */
  static final class OutputOption {
    @Option(
        names = {"-o", "--output"},
        paramLabel = "table|json|jsonl",
        description = "Default: table.")
    private Output format = Output.TABLE;
  }

  // ---- looking ----

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "The dead letters of a queue that are still to be handled.")
  int list(
      @Mixin ConnectionOptions connection,
      @Mixin LetterOptions options,
      @Mixin OutputOption output,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "" + SHOWN_DEFAULT,
              description = "Show so many; all are counted. Default: ${DEFAULT-VALUE}.")
          int limit,
      @Parameters(paramLabel = "QUEUE") String queue) {
    if (limit < 0 || limit > SHOWN_MAX) {
      throw new ConfigException("--limit is " + limit + "; it must be from 0 to " + SHOWN_MAX);
    }
    DeadLetterFilter filter = options.filter(clock.epochMillis());
    Found found = new Found(limit);
    try (DeadLetters letters = letters(connection, queue)) {
      if (letters != null) {
        letters.forEach(letter -> !filter.test(letter) || found.add(letter));
      }
    }
    switch (output.format) {
      case JSON -> {
        ObjectNode node = mapper.createObjectNode();
        node.put("queue", queue).put("count", found.count);
        ObjectNode errors = node.putObject("errors");
        found.byError.forEach(errors::put);
        var array = node.putArray("letters");
        found.shown.forEach(letter -> array.add(summary(letter)));
        print(node.toString());
      }
      case JSONL -> found.shown.forEach(letter -> print(summary(letter).toString()));
      case TABLE -> {
        table(found.shown);
        print(counts(queue, found));
      }
    }
    return ExitCodes.DONE;
  }

  /** What a look at the letters found; bounded, whatever there is. */
  private static final class Found {
    final int limit;
    final List<DeadLetter> shown = new ArrayList<>();
    final Map<String, Long> byError = new TreeMap<>();
    long count;

    Found(int limit) {
      this.limit = limit;
    }

    boolean add(DeadLetter letter) {
      count++;
      if (shown.size() < limit) {
        shown.add(letter);
      }
      String error = letter.errorType();
      boolean room = byError.size() < CLASSES_MAX || byError.containsKey(error);
      byError.merge(room ? error : OTHERS, 1L, Long::sum);
      return true;
    }
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "All that is known of one dead letter: its headers, its stack, its payload.")
  int show(
      @Mixin ConnectionOptions connection,
      @Mixin OutputOption output,
      @Parameters(paramLabel = "QUEUE") String queue,
      @Parameters(
              paramLabel = "LETTER",
              description = "PARTITION/OFFSET as list prints it, or the id of the task.")
          String place) {
    DeadLetterFilter filter = DeadLetterFilter.at(place);
    List<DeadLetter> found = new ArrayList<>();
    try (DeadLetters letters = letters(connection, queue)) {
      if (letters != null) {
        letters.forEach(letter -> !filter.test(letter) || !found.add(letter));
      }
    }
    if (found.isEmpty()) {
      err(
          "Queue "
              + queue
              + " has no dead letter "
              + place
              + " that is still to be handled; sluice dead list shows those it has");
      return ExitCodes.NOT_FOUND;
    }
    DeadLetter letter = found.get(0);
    if (output.format != Output.TABLE) {
      print(whole(letter).toString());
      return ExitCodes.DONE;
    }
    print("letter   " + letter.place());
    print("key      " + (letter.key() == null ? "(none)" : shown(letter.key())));
    print("failed   " + Instant.ofEpochMilli(letter.lastAtMillis()));
    for (Header header : letter.record().headers()) {
      print(header.key() + ": " + (header.value() == null ? "" : printable(header.value())));
    }
    print("");
    byte[] value = letter.record().value();
    print(value == null ? "(no payload)" : printable(value));
    return ExitCodes.DONE;
  }

  // ---- handling ----

  @Command(
      name = "redrive",
      mixinStandardHelpOptions = true,
      description = {
        "Runs dead letters again: puts them into their queue, each exactly once, however often this"
            + " is killed and run again. Without --execute it only counts them.",
        "They go past the queue's capacity; producers are held back for them instead."
      })
  int redrive(
      @Mixin ConnectionOptions connection,
      @Mixin LetterOptions options,
      @Mixin OutputOption output,
      @Option(names = "--rate", paramLabel = "N", description = "At most so many per second.")
          @Nullable Double rate,
      @Option(names = "--limit", paramLabel = "N", description = "At most so many in all.")
          @Nullable Long limit,
      @Option(names = "--execute", description = "Do it.") boolean execute,
      @Parameters(paramLabel = "QUEUE") String queue) {
    if (rate != null && !(rate >= 0.01 && rate <= 1_000_000)) {
      throw new ConfigException("--rate is " + rate + "; it must be from 0.01 to 1000000");
    }
    return handle(
        connection,
        options,
        output,
        limit,
        execute,
        queue,
        "run again",
        (letters, filter, most, progress) ->
            letters.redrive(filter, rate == null ? 0 : rate, most, progress));
  }

  @Command(
      name = "purge",
      mixinStandardHelpOptions = true,
      description = "Forgets dead letters for good. Without --execute it only counts them.")
  int purge(
      @Mixin ConnectionOptions connection,
      @Mixin LetterOptions options,
      @Mixin OutputOption output,
      @Option(names = "--limit", paramLabel = "N", description = "At most so many.")
          @Nullable Long limit,
      @Option(names = "--execute", description = "Do it.") boolean execute,
      @Parameters(paramLabel = "QUEUE") String queue) {
    return handle(
        connection,
        options,
        output,
        limit,
        execute,
        queue,
        "purged",
        (letters, filter, most, progress) -> letters.purge(filter, most, progress));
  }

  @FunctionalInterface
  private interface Handling {
    DeadLetters.Moved run(
        DeadLetters letters, DeadLetterFilter filter, long most, LongConsumer progress);
  }

  private int handle(
      ConnectionOptions connection,
      LetterOptions options,
      OutputOption output,
      @Nullable Long limit,
      boolean execute,
      String queue,
      String done,
      Handling handling) {
    if (limit != null && limit < 1) {
      throw new ConfigException("--limit is " + limit + "; it must be at least 1");
    }
    long most = limit == null ? Long.MAX_VALUE : limit;
    DeadLetterFilter filter = options.filter(clock.epochMillis());
    Found found = new Found(0);
    DeadLetters.Moved moved = new DeadLetters.Moved(0, 0);
    try (DeadLetters letters = letters(connection, queue)) {
      if (letters != null) {
        letters.forEach(
            letter -> (!filter.test(letter) || found.add(letter)) && found.count < most);
        if (output.format == Output.TABLE) {
          print(counts(queue, found));
        }
        if (execute && found.count > 0) {
          moved = handling.run(letters, filter, most, progress(done, Math.min(most, found.count)));
        }
      }
    }
    if (output.format != Output.TABLE) {
      ObjectNode node = mapper.createObjectNode();
      node.put("queue", queue).put("count", found.count);
      ObjectNode errors = node.putObject("errors");
      found.byError.forEach(errors::put);
      node.put("executed", execute);
      node.put("handled", moved.handled()).put("withoutPayload", moved.withoutPayload());
      print(node.toString());
    } else if (execute) {
      print(moved.handled() + " " + done + ".");
    } else if (found.count > 0) {
      print("Nothing was done. Add --execute to do it.");
    }
    if (moved.withoutPayload() > 0) {
      err(
          moved.withoutPayload()
              + " were left: their payloads were too large for a dead letter, and the records"
              + " that failed are no longer in their topic. sluice dead show says what is known"
              + " of each.");
      return ExitCodes.FAILED;
    }
    return ExitCodes.DONE;
  }

  private LongConsumer progress(String done, long of) {
    long[] saidNanos = {clock.nanos()};
    return handled -> {
      if (clock.nanos() - saidNanos[0] > PROGRESS_NANOS) {
        saidNanos[0] = clock.nanos();
        err(handled + " of " + of + " " + done);
      }
    };
  }

  // ---- help ----

  /** The queue's letters, or null if it has no topic of them. */
  private @Nullable DeadLetters letters(ConnectionOptions connection, String name) {
    Commands.configureLogging(connection.verbose());
    SluiceConfig config = connection.config();
    QueueDefinition queue = config.queue(name);
    return DeadLetters.of(connection.kafka(config), queue, config.fleet(), clock).orElse(null);
  }

  private ObjectNode summary(DeadLetter letter) {
    ObjectNode node = mapper.createObjectNode();
    node.put("letter", letter.place());
    node.put("id", letter.id()).put("type", letter.type()).put("key", letter.key());
    node.put("error", letter.errorType()).put("message", letter.errorMessage());
    node.put("attempts", letter.attempts());
    node.put("lastAt", Instant.ofEpochMilli(letter.lastAtMillis()).toString());
    node.put("origin", letter.origin().orElse(null));
    return node;
  }

  private ObjectNode whole(DeadLetter letter) {
    ObjectNode node = summary(letter);
    ObjectNode headers = node.putObject("headers");
    for (Header header : letter.record().headers()) {
      headers.put(header.key(), header.value() == null ? null : printable(header.value()));
    }
    byte[] value = letter.record().value();
    if (value == null) {
      node.putNull("payload");
    } else if (text(value) != null) {
      node.put("payload", text(value));
    } else {
      node.put("payloadBase64", Base64.getEncoder().encodeToString(value));
    }
    return node;
  }

  private static String printable(byte[] bytes) {
    String text = text(bytes);
    return text == null ? "base64:" + Base64.getEncoder().encodeToString(bytes) : shown(text);
  }

  /** Without what would move a terminal's cursor or change its colours: others wrote it. */
  private static String shown(String text) {
    return text.replaceAll("[\\p{Cntrl}&&[^\\n\\t]]", "?");
  }

  private static @Nullable String text(byte[] bytes) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private static String counts(String queue, Found found) {
    StringBuilder text = new StringBuilder();
    text.append(found.count).append(" dead letters of queue ").append(queue);
    String separator = ": ";
    for (Map.Entry<String, Long> each : found.byError.entrySet()) {
      text.append(separator).append(each.getValue()).append(" x ").append(each.getKey());
      separator = ", ";
    }
    return text.toString();
  }

  private void table(List<DeadLetter> letters) {
    if (letters.isEmpty()) {
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("letter", "id", "type", "key", "attempts", "failed", "error", "message"));
    for (DeadLetter letter : letters) {
      String key = letter.key();
      String message = shown(letter.errorMessage().replaceAll("\\s+", " "));
      rows.add(
          List.of(
              letter.place(),
              shown(letter.id()),
              shown(letter.type()),
              key == null ? "" : shown(key),
              Integer.toString(letter.attempts()),
              Instant.ofEpochMilli(letter.lastAtMillis()).toString(),
              letter.errorType().substring(letter.errorType().lastIndexOf('.') + 1),
              message.length() <= MESSAGE_CHARS
                  ? message
                  : message.substring(0, MESSAGE_CHARS - 1) + "…"));
    }
    TextTable.lines(rows).forEach(this::print);
  }

  private void print(String line) {
    var out = commandLine().getOut();
    out.println(line);
    out.flush();
  }

  private void err(String line) {
    var err = commandLine().getErr();
    err.println("sluice dead: " + line);
    err.flush();
  }

  private picocli.CommandLine commandLine() {
    CommandSpec known = spec;
    if (known == null) {
      throw new IllegalStateException("The command was not started by picocli");
    }
    return known.commandLine();
  }
}
