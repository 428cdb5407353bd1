// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.Commands;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.wire.TaskCodec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(KafkaExtension.class)
@Timeout(90)
class ProduceCommandIT {
  @TempDir private Path folder;

  private record Result(int code, String out, String err) {}

  @Test
  void publishesAFileAndSaysSoInOneObject(TestKafka kafka) throws Exception {
    String queue = kafka.unique("file");
    Path file = write("{\"n\":1}\n{\"n\":2}\n");
    Path history = folder.resolve("history.jsonl");
    Result result =
        run(kafka, queue, "--file", file, "-o", "json", "--partitions", 3, "--history", history);

    assertThat(result.code()).as(result.err()).isZero();
    JsonNode summary = new ObjectMapper().readTree(result.out());
    assertThat(summary.get("accepted").asInt()).isEqualTo(2);
    assertThat(summary.get("bad").asInt()).isZero();
    assertThat(summary.get("seconds").asDouble()).isPositive();
    assertThat(Files.readAllLines(history)).hasSize(2).allMatch(l -> l.contains("\"accepted\""));
    assertThat(records(kafka, queue, 3)).isEqualTo(2);
  }

  @Test
  void givesEachTaskItsDeadline(TestKafka kafka) throws Exception {
    String queue = kafka.topic("deadline", 1);
    long before = System.currentTimeMillis();
    Result result = run(kafka, queue, "--file", write("{\"n\":1}\n"), "--deadline", "30s");
    assertThat(result.code()).as(result.err()).isZero();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      TopicPartition id = new TopicPartition(queue, 0);
      consumer.assign(List.of(id));
      consumer.seekToBeginning(List.of(id));
      ConsumerRecord<byte[], byte[]> record =
          consumer.poll(Duration.ofSeconds(30)).iterator().next();
      assertThat(TaskCodec.deadlineMillis(record))
          .isBetween(before + 30_000, System.currentTimeMillis() + 30_000);
    }
    Result bad = run(kafka, queue, "--file", write("{}\n"), "--deadline", "soon");
    assertThat(bad.code()).isEqualTo(2);
    assertThat(bad.err()).contains("soon");
  }

  @Test
  void readsStandardInput(TestKafka kafka) throws Exception {
    String queue = kafka.unique("stdin");
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream("a,b\n1,2\n3,4\n".getBytes(UTF_8)));
    try {
      Result result =
          run(kafka, queue, "--file", "-", "--format", "csv", "--key-field", "a", "--strict");
      assertThat(result.code()).as(result.err()).isZero();
      assertThat(result.out()).startsWith("accepted 2, rejected 0, unknown 0, bad 0");
    } finally {
      System.setIn(before);
    }
    assertThat(records(kafka, queue, 12)).isEqualTo(2);
  }

  @Test
  void aBadLineIsReportedAndTheOthersArePublished(TestKafka kafka) throws Exception {
    String queue = kafka.unique("bad");
    Result result = run(kafka, queue, "--file", write("{\"n\":1}\n{\"n\":\n{\"n\":3}\n"));
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("line 2: not JSON");
    assertThat(result.out()).startsWith("accepted 2, rejected 0, unknown 0, bad 1");
    assertThat(records(kafka, queue, 12)).isEqualTo(2);
  }

  @Test
  void strictPublishesNothingIfALineIsBad(TestKafka kafka) throws Exception {
    String queue = kafka.topic("strict", 1);
    Result result = run(kafka, queue, "--strict", "--file", write("{\"n\":1}\nx\n".repeat(30)));
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("line 2:", "counted only", "nothing was published");
    assertThat(result.out()).startsWith("accepted 0, rejected 0, unknown 0, bad 30");
    assertThat(records(kafka, queue, 1)).isZero();
  }

  @Test
  void whereThereIsNoRoomItStopsAndNamesTheLine(TestKafka kafka) throws Exception {
    String queue = kafka.topic("full", 1);
    Path file = write("1\n2\n3\n");
    Result reject = run(kafka, queue, "--file", file, "--rate", 0.1, "--on-full", "reject");
    assertThat(reject.code()).isEqualTo(75);
    assertThat(reject.err()).contains("stopped at line 2");
    assertThat(reject.out()).startsWith("accepted 1, rejected 1,");
    Result wait = run(kafka, queue, "--file", file, "--rate", 0.1, "--max-wait", "50ms");
    assertThat(wait.code()).isEqualTo(124);
    assertThat(records(kafka, queue, 1)).isEqualTo(2);
  }

  @Test
  void mistakesAreNamed(TestKafka kafka) throws Exception {
    Result none = run(kafka, "q");
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("--file F").contains("--http PORT");
    Result file = run(kafka, "q", "--file", folder.resolve("missing"));
    assertThat(file.code()).isEqualTo(2);
    assertThat(file.err()).contains("missing").contains("cannot be read");
    assertThat(run(kafka, "q", "--file", folder).code()).isEqualTo(2);
    assertThat(run(kafka, "q", "--file", "-", "--nonsense").code()).isEqualTo(2);
    Result open = run(kafka, "q", "--http", 0, "--http-bind", "0.0.0.0");
    assertThat(open.code()).isEqualTo(2);
    assertThat(open.err()).contains("--http-token-file");
  }

  @Test
  void withoutABrokerItSaysSo() throws Exception {
    Result result = runAt("127.0.0.1:1", "q", "--file", write("1\n"));
    assertThat(result.code()).isEqualTo(69);
    assertThat(result.err()).contains("127.0.0.1:1");
  }

  private Path write(String text) throws Exception {
    return Files.writeString(folder.resolve("tasks"), text);
  }

  private static Result run(TestKafka kafka, Object... arguments) {
    return runAt(kafka.bootstrapServers(), arguments);
  }

  private static Result runAt(String brokers, Object... arguments) {
    List<String> all = new ArrayList<>(List.of("-b", brokers));
    for (Object argument : arguments) {
      all.add(String.valueOf(argument));
    }
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream capturedOut = new ByteArrayOutputStream();
    ByteArrayOutputStream capturedErr = new ByteArrayOutputStream();
    System.setOut(new PrintStream(capturedOut, true, UTF_8));
    System.setErr(new PrintStream(capturedErr, true, UTF_8));
    try {
      int code = Commands.run(new ProduceCommand(), all.toArray(String[]::new));
      return new Result(code, capturedOut.toString(UTF_8), capturedErr.toString(UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  private static long records(TestKafka kafka, String topic, int partitions) throws Exception {
    Map<TopicPartition, OffsetSpec> ends = new java.util.HashMap<>();
    for (int p = 0; p < partitions; p++) {
      ends.put(new TopicPartition(topic, p), OffsetSpec.latest());
    }
    try (Admin admin =
        Admin.create(Map.of("bootstrap.servers", (Object) kafka.bootstrapServers()))) {
      return admin.listOffsets(ends).all().get().values().stream().mapToLong(r -> r.offset()).sum();
    }
  }
}
