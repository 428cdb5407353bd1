// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.ConfigException;
import dev.sluice.localkafka.junit.KafkaExtension;
import dev.sluice.localkafka.junit.TestKafka;
import dev.sluice.producer.TaskProducer;
import dev.sluice.time.SystemClock;
import dev.sluice.wire.TaskCodec;
import dev.sluice.wire.TaskHeaders;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaExtension.class)
@Timeout(60)
class HttpGatewayIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final GatewayLimits SMALL =
      new GatewayLimits(
          8,
          16,
          2_048,
          10_000,
          1_000,
          5,
          Duration.ofMillis(500),
          Duration.ofSeconds(2),
          Duration.ofMillis(50));

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @Test
  void oneTaskIsAcceptedUnderTheIdThatTheClientGave(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, GatewayLimits.DEFAULT)) {
      HttpResponse<String> response =
          client.send(
              f.tasks()
                  .header("Sluice-Key", "k")
                  .header("Sluice-Id", "my-id")
                  .POST(BodyPublishers.ofString("{\"n\":1}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(response.statusCode()).isEqualTo(202);
      assertThat(response.body()).isEqualTo("{\"accepted\":1,\"ids\":[\"my-id\"]}");
    }
  }

  @Test
  void aStreamOfLinesIsAcceptedInItsOrder(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, GatewayLimits.DEFAULT)) {
      HttpResponse<String> response = f.lines("{\"n\":1}\n\n{\"n\":2}\r\n{\"n\":3}");
      assertThat(response.statusCode()).isEqualTo(202);
      assertThat(JSON.readTree(response.body()).get("ids")).hasSize(3);
    }
  }

  @Test
  void aBadLineStopsTheStreamAndIsNamedWithWhatWasAcceptedBefore(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, GatewayLimits.DEFAULT)) {
      HttpResponse<String> response = f.lines("{\"n\":1}\n{\"n\":\n{\"n\":3}\n");
      assertThat(response.statusCode()).isEqualTo(400);
      JsonNode body = JSON.readTree(response.body());
      assertThat(body.get("line").asInt()).isEqualTo(2);
      assertThat(body.get("error").asText()).contains("not JSON");
      assertThat(body.get("accepted").asInt()).isEqualTo(1);
      assertThat(body.get("ids")).hasSize(1);
    }
  }

  @Test
  void whatMayNotComeInIsAnsweredWithItsStatus(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, SMALL)) {
      assertThat(f.post("nope").statusCode()).isEqualTo(400);
      assertThat(f.post("").statusCode()).isEqualTo(400);
      assertThat(f.post("\"" + "x".repeat(1_100) + "\"").statusCode()).isEqualTo(413);
      assertThat(f.lines("1\n2\n3\n4\n5\n6\n").statusCode()).isEqualTo(413);
      assertThat(f.lines("1\n\"" + "x".repeat(1_100) + "\"\n").body())
          .contains("\"line\":2")
          .contains("\"accepted\":1");
      assertThat(f.lines("1".repeat(11_000)).statusCode()).isEqualTo(413);
      assertThat(f.get("/queues/emails/tasks").statusCode()).isEqualTo(405);
      assertThat(f.get("/queues/emails/tasks").headers().firstValue("Allow")).contains("POST");
      assertThat(f.get("/queues/other/tasks").statusCode()).isEqualTo(404);
      assertThat(f.get("/").statusCode()).isEqualTo(404);
      assertThat(f.get("/livez").statusCode()).isEqualTo(200);
      assertThat(f.get("/readyz").statusCode()).isEqualTo(200);
      HttpRequest form =
          f.request("/queues/emails/tasks")
              .header("Content-Type", "text/plain")
              .POST(BodyPublishers.ofString("{}"))
              .build();
      assertThat(client.send(form, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(415);
    }
  }

  @Test
  void aDeadlineIsSoLongFromNowOrATime(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, GatewayLimits.DEFAULT)) {
      assertThat(f.postTo("?deadline=30s").statusCode()).isEqualTo(202);
      assertThat(f.postTo("?deadline=2100-01-01T00:00:00Z").statusCode()).isEqualTo(202);
      HttpResponse<String> bad = f.postTo("?deadline=soon");
      assertThat(bad.statusCode()).isEqualTo(400);
      assertThat(bad.body()).contains("'soon'").contains("30s");
    }
  }

  @Test
  void aPriorityIsATopicAndATenantAHeader(TestKafka kafka) throws Exception {
    String topic = kafka.topic("turns", 1);
    kafka.createTopic(topic + ".p1", 1);
    try (TaskProducer producer =
            TaskProducer.builder(kafka.bootstrapServers())
                .topic("emails", topic)
                .priorities("emails", 2)
                .build();
        Fixture f = new Fixture(producer, GatewayLimits.DEFAULT, null)) {
      assertThat(f.postTo("?priority=1&tenant=acme").statusCode()).isEqualTo(202);
      assertThat(f.postTo("?priority=0").statusCode()).isEqualTo(202);
      HttpResponse<String> beyond = f.postTo("?priority=2");
      assertThat(beyond.statusCode()).isEqualTo(400);
      assertThat(beyond.body()).contains("its priority is 2").contains("0 to 1");
      HttpResponse<String> bad = f.postTo("?priority=high");
      assertThat(bad.statusCode()).isEqualTo(400);
      assertThat(bad.body()).contains("'high'").contains("0 to 9");
      assertThat(f.postTo("?tenant=" + "x".repeat(201)).statusCode()).isEqualTo(400);
      Headers urgent = only(kafka, topic + ".p1");
      assertThat(TaskCodec.text(urgent, TaskHeaders.PRIORITY)).isEqualTo("1");
      assertThat(TaskCodec.text(urgent, TaskHeaders.TENANT)).isEqualTo("acme");
      assertThat(TaskCodec.text(only(kafka, topic), TaskHeaders.TENANT)).isNull();
    }
  }

  /** The headers of the one record of a topic with one partition. */
  private static Headers only(TestKafka kafka, String topic) {
    TopicPartition id = new TopicPartition(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(id));
      consumer.seekToBeginning(List.of(id));
      assertThat(consumer.endOffsets(List.of(id))).containsEntry(id, 1L);
      while (true) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          return record.headers();
        }
      }
    }
  }

  /** In one write and without a body: what comes after the refusal resets the connection. */
  @Test
  void headersThatAreTooLargeAreRefused(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, SMALL)) {
      String big = "X-Big: " + "x".repeat(5_000) + "\r\nContent-Length: 0\r\n\r\n";
      assertThat(raw(f.gateway.port(), f.head("application/json") + big)).contains(" 431 ");
    }
  }

  @Test
  void aChunkedBodyIsBoundedToo(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, SMALL)) {
      String head = f.head("application/x-ndjson") + "Transfer-Encoding: chunked\r\n\r\n";
      String chunk = "3e8\r\n" + "1\n".repeat(500) + "\r\n";
      assertThat(raw(f.gateway.port(), head + chunk)).contains(" 413 ").contains("\"line\":6");
    }
  }

  @Test
  void aBodyThatDoesNotComeIsATimeOut(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, SMALL)) {
      String head = f.head("application/json") + "Content-Length: 10\r\n\r\n{";
      assertThat(raw(f.gateway.port(), head)).contains(" 408 ");
    }
  }

  @Test
  void aBodyThatComesByteByByteIsATimeOut(TestKafka kafka) throws Exception {
    try (Fixture f = new Fixture(kafka, SMALL);
        Socket socket = new Socket("127.0.0.1", f.gateway.port())) {
      String head = f.head("application/x-ndjson") + "Content-Length: 9000\r\n\r\n";
      socket.getOutputStream().write(head.getBytes(UTF_8));
      socket.setSoTimeout(100);
      byte[] answer = new byte[4_096];
      int count = 0;
      long start = System.nanoTime();
      while (count == 0 && System.nanoTime() - start < 20_000_000_000L) {
        socket.getOutputStream().write(' ');
        try {
          count = socket.getInputStream().read(answer);
        } catch (java.net.SocketTimeoutException e) {
          count = 0;
        }
      }
      assertThat(new String(answer, 0, Math.max(0, count), UTF_8)).contains(" 408 ");
      assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
    }
  }

  @Test
  void withoutRoomItIs429WithRetryAfterAndNamesTheLine(TestKafka kafka) throws Exception {
    String topic = kafka.topic("full", 1);
    try (TaskProducer producer =
            TaskProducer.builder(kafka.bootstrapServers())
                .topic("emails", topic)
                .rate(0.1, 1)
                .build();
        Fixture f = new Fixture(producer, SMALL, null)) {
      HttpResponse<String> response = f.lines("1\n2\n");
      assertThat(response.statusCode()).isEqualTo(429);
      assertThat(response.headers().firstValueAsLong("Retry-After").orElse(0)).isBetween(1L, 11L);
      assertThat(response.body()).contains("\"line\":2").contains("\"accepted\":1");
    }
  }

  @Test
  void withoutABrokerItIs503AndWhileItStopsToo(TestKafka kafka) throws Exception {
    try (TaskProducer producer =
            TaskProducer.builder("127.0.0.1:1").kafkaProperty("max.block.ms", 200).build();
        Fixture f = new Fixture(producer, SMALL, null)) {
      HttpResponse<String> response = f.post("1");
      assertThat(response.statusCode()).isEqualTo(503);
      assertThat(response.headers().firstValue("Retry-After")).isPresent();
      f.gateway.drain();
      assertThat(f.post("1").body()).contains("stopping");
      assertThat(f.get("/readyz").statusCode()).isEqualTo(503);
      assertThat(f.get("/livez").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aTokenIsAskedForAndStrangersHostsAreRefused(TestKafka kafka) throws Exception {
    try (TaskProducer producer = TaskProducer.connect(kafka.bootstrapServers());
        Fixture f = new Fixture(producer, SMALL, "0123456789abcdef")) {
      assertThat(f.post("1").statusCode()).isEqualTo(401);
      HttpRequest wrong =
          f.request("/queues/emails/tasks")
              .header("Authorization", "Bearer 0123456789abcdeg")
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString("x"))
              .build();
      assertThat(client.send(wrong, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(401);
      HttpRequest right =
          f.request("/queues/emails/tasks")
              .header("Authorization", "Bearer 0123456789abcdef")
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString("x"))
              .build();
      assertThat(client.send(right, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(400);
    }
    try (Fixture f = new Fixture(kafka, SMALL)) {
      String rebound =
          "POST /queues/emails/tasks HTTP/1.1\r\nHost: evil.example\r\n"
              + "Content-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1";
      assertThat(raw(f.gateway.port(), rebound)).contains(" 403 ");
    }
  }

  @Test
  void itDoesNotListenForStrangersWithoutATokenOrCertificates() {
    assertThatThrownBy(
            () ->
                new GatewaySettings(
                    "0.0.0.0", 0, Map.of("q", "t"), null, null, GatewayLimits.DEFAULT))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("0.0.0.0")
        .hasMessageContaining("--http-token-file");
    assertThatThrownBy(
            () ->
                new GatewaySettings(
                    "127.0.0.1", 0, Map.of("q", "t"), "short", null, GatewayLimits.DEFAULT))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("16");
  }

  private static String raw(int port, String request) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write(request.getBytes(UTF_8));
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  private final class Fixture implements AutoCloseable {
    final HttpGateway gateway;
    private final TaskProducer own;

    Fixture(TestKafka kafka, GatewayLimits limits) {
      own =
          TaskProducer.builder(kafka.bootstrapServers())
              .topic("emails", kafka.topic("gateway", 2))
              .build();
      gateway = start(own, limits, null);
    }

    Fixture(TaskProducer producer, GatewayLimits limits, String token) {
      own = null;
      gateway = start(producer, limits, token);
    }

    private HttpGateway start(TaskProducer producer, GatewayLimits limits, String token) {
      return new HttpGateway(
          producer,
          new GatewaySettings("127.0.0.1", 0, Map.of("emails", "welcome"), token, null, limits),
          SystemClock.INSTANCE);
    }

    HttpRequest.Builder request(String path) {
      return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + gateway.port() + path));
    }

    HttpRequest.Builder tasks() {
      return request("/queues/emails/tasks").header("Content-Type", "application/json");
    }

    String head(String contentType) {
      return "POST /queues/emails/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
          + "Content-Type: "
          + contentType
          + "\r\n";
    }

    HttpResponse<String> post(String body) throws Exception {
      return client.send(
          tasks().POST(BodyPublishers.ofString(body)).build(),
          HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> postTo(String query) throws Exception {
      return client.send(
          request("/queues/emails/tasks" + query)
              .header("Content-Type", "application/json")
              .POST(BodyPublishers.ofString("{}"))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> lines(String body) throws Exception {
      return client.send(
          request("/queues/emails/tasks")
              .header("Content-Type", "application/x-ndjson")
              .POST(BodyPublishers.ofString(body))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> get(String path) throws Exception {
      return client.send(request(path).GET().build(), HttpResponse.BodyHandlers.ofString());
    }

    @Override
    public void close() {
      gateway.close();
      if (own != null) {
        own.close();
      }
    }
  }
}
