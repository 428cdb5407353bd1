// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.sluice;

import dev.sluice.Task;
import dev.sluice.benchmarks.subject.Options;
import dev.sluice.benchmarks.subject.Subject;
import dev.sluice.producer.TaskHandle;
import dev.sluice.producer.TaskProducer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Publishes tasks of {@code bytes} each, through {@code via=sluice} (with {@code capacity} tasks of
 * capacity, 0 for none) or {@code via=plain}, the Kafka producer with the same settings and
 * headers. A task is done when it was acknowledged.
 */
public final class ProducerLoop {
  private static final int KEYS = 100_000;
  private static final byte[] ONE = "1.0".getBytes(StandardCharsets.UTF_8);

  private ProducerLoop() {}

  /** Runs until its tasks are acknowledged. */
  public static void main(String[] args) throws InterruptedException {
    Options options = Options.of(args);
    Subject subject = new Subject(options);
    byte[] payload = new byte[options.integer("bytes", 200)];
    byte[][] keys = new byte[KEYS][];
    for (int i = 0; i < KEYS; i++) {
      keys[i] = ("key-" + i).getBytes(StandardCharsets.UTF_8);
    }
    if (options.text("via").equals("plain")) {
      plain(options, subject, keys, payload);
    } else {
      sluice(options, subject, keys, payload);
    }
    Thread.currentThread().join(); // the subject ends the process
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a task that is not accepted is missed at the end
  private static void sluice(Options options, Subject subject, byte[][] keys, byte[] payload) {
    // The queue is that of the worker beside it, which asks for credit for it.
    String queue = options.topic();
    var builder = TaskProducer.builder(options.bootstrap());
    long capacity = options.number("capacity", 0);
    if (capacity > 0) {
      builder.capacity(queue, capacity);
    }
    TaskProducer producer = builder.build();
    for (long i = 0; i < options.number("tasks", 0); i++) {
      TaskHandle handle =
          producer.submitAsync(Task.of(queue, "work", payload).key(keys[(int) (i % KEYS)]));
      handle.accepted().thenAccept(acceptance -> subject.task(0, 0, null, payload));
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told of the same outcome
  private static void plain(Options options, Subject subject, byte[][] keys, byte[] payload) {
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers", options.bootstrap(),
                "acks", "all",
                "linger.ms", options.integer("linger", 5),
                "compression.type", options.text("compression", "none")),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    byte[] type = "work".getBytes(StandardCharsets.UTF_8);
    byte[] source = "/bench".getBytes(StandardCharsets.UTF_8);
    byte[] json = "application/octet-stream".getBytes(StandardCharsets.UTF_8);
    for (long i = 0; i < options.number("tasks", 0); i++) {
      RecordHeaders headers = new RecordHeaders();
      headers.add("ce_specversion", ONE);
      headers.add("ce_id", new java.util.UUID(i, i).toString().getBytes(StandardCharsets.UTF_8));
      headers.add("ce_type", type);
      headers.add("ce_source", source);
      headers.add(
          "ce_time",
          java.time.Instant.ofEpochMilli(System.currentTimeMillis())
              .toString()
              .getBytes(StandardCharsets.UTF_8));
      headers.add("content-type", json);
      producer.send(
          new ProducerRecord<>(options.topic(), null, keys[(int) (i % KEYS)], payload, headers),
          (metadata, failure) -> {
            if (failure == null) {
              subject.task(0, 0, null, payload);
            }
          });
    }
  }
}
