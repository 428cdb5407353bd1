// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Task;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;

class TaskContentTypeTest {
  @Test
  void reachesTheHandlerWhileTheOtherHeadersOfTheEnvelopeDoNot() {
    ProducerRecord<byte[], byte[]> sent =
        TaskCodec.toRecord(
            Task.of("q", "t", new byte[] {1}).id("i").header("traceparent", "00-a-b-01"),
            "q",
            "text/csv",
            "test",
            0);
    ConsumerRecord<byte[], byte[]> read = new ConsumerRecord<>("q", 0, 7, null, sent.value());
    sent.headers().forEach(read.headers()::add);

    assertThat(TaskCodec.headers(read))
        .containsOnlyKeys("content-type", "traceparent")
        .containsEntry("content-type", "text/csv");
  }
}
