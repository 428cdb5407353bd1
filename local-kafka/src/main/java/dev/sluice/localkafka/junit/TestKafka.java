// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka.junit;

import dev.sluice.localkafka.LocalKafka;
import dev.sluice.localkafka.LocalKafkaException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** The broker that a test was given. Thread-safe. */
public final class TestKafka implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final String bootstrapServers;
  private final String kind;
  private final Runnable broker;
  private final @Nullable LocalKafka local;

  private TestKafka(
      String bootstrapServers, String kind, Runnable broker, @Nullable LocalKafka local) {
    this.bootstrapServers = bootstrapServers;
    this.kind = kind;
    this.broker = broker;
    this.local = local;
  }

  static TestKafka elsewhere(String bootstrapServers, String kind, Runnable close) {
    return new TestKafka(bootstrapServers, kind, close, null);
  }

  static TestKafka inThisJvm(LocalKafka local, String kind) {
    return new TestKafka(local.bootstrapServers(), kind, local::close, local);
  }

  /** For {@code bootstrap.servers}. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** Which broker this is, and why it was chosen. */
  public String kind() {
    return kind;
  }

  /**
   * The broker where it runs in this JVM, for tests that stop and restart it; empty where it is a
   * container. All tests of the JVM share it: leave it running.
   */
  public Optional<LocalKafka> local() {
    return Optional.ofNullable(local);
  }

  /** A name that no other test of this run uses. */
  public String unique(String prefix) {
    return prefix + "-" + NUMBER.incrementAndGet();
  }

  /** Creates a topic under a unique name, and returns the name. */
  public String topic(String prefix, int partitions) {
    String name = unique(prefix);
    createTopic(name, partitions);
    return name;
  }

  /**
   * Creates a topic of one replica and waits until its leaders answer, without which an idempotent
   * producer may lose its first requests (KAFKA-15591).
   *
   * @throws LocalKafkaException if it exists, or cannot be created within 30 s
   */
  public void createTopic(String name, int partitions) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
      admin
          .createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
          .all()
          .get(30, TimeUnit.SECONDS);
      awaitLeaders(admin, name, partitions);
    } catch (ExecutionException e) {
      throw new LocalKafkaException(
          "Topic " + name + " cannot be created: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      throw new LocalKafkaException(
          "Topic " + name + " was not created within 30 s; does " + bootstrapServers + " run?", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LocalKafkaException("Interrupted while topic " + name + " is created", e);
    }
  }

  private static void awaitLeaders(Admin admin, String name, int partitions)
      throws ExecutionException, InterruptedException, TimeoutException {
    Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
    for (int i = 0; i < partitions; i++) {
      ends.put(new TopicPartition(name, i), OffsetSpec.latest());
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (true) {
      try {
        admin.listOffsets(ends).all().get(30, TimeUnit.SECONDS);
        return;
      } catch (ExecutionException e) {
        // A broker that has not heard of the topic yet: the admin client does not ask it again.
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)
            || System.nanoTime() - deadline >= 0) {
          throw e;
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      }
    }
  }

  @Override
  public void close() {
    broker.run();
  }
}
