// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.process;

import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Samples the backlog of a queue from the brokers' own offsets, with a client of its own: the ends
 * of the log first, then the commits, so that what happens between the two makes it too small by
 * what was finished meanwhile, never too large. What the commit metadata says is done behind the
 * committed position is finished. Thread-safe.
 */
public final class BacklogSampler implements AutoCloseable {
  private static final long EVERY_MILLIS = 50;
  private static final long ANSWER_SECONDS = 5;

  private final Admin admin;
  private final String group;
  private final String topic;
  private final int partitions;
  private final CountDownLatch ending = new CountDownLatch(1);
  private final Thread thread;
  private volatile long last;
  private volatile long most;
  private volatile long samples;

  /** Begins to sample. */
  public BacklogSampler(String bootstrap, String group, String topic, int partitions) {
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    this.group = group;
    this.topic = topic;
    this.partitions = partitions;
    this.thread = new Thread(this::run, "backlog-sampler");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    try {
      while (!ending.await(EVERY_MILLIS, TimeUnit.MILLISECONDS)) {
        try {
          sample();
        } catch (java.util.concurrent.ExecutionException
            | java.util.concurrent.TimeoutException e) {
          // The broker is busy or away: the next sample comes soon.
          continue;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void sample()
      throws InterruptedException,
          java.util.concurrent.ExecutionException,
          java.util.concurrent.TimeoutException {
    Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
    for (int i = 0; i < partitions; i++) {
      wanted.put(new TopicPartition(topic, i), OffsetSpec.latest());
    }
    long end = 0;
    for (var info :
        admin.listOffsets(wanted).all().get(ANSWER_SECONDS, TimeUnit.SECONDS).values()) {
      end += info.offset();
    }
    long done = 0;
    for (OffsetAndMetadata commit :
        admin
            .listConsumerGroupOffsets(group)
            .partitionsToOffsetAndMetadata()
            .get(ANSWER_SECONDS, TimeUnit.SECONDS)
            .values()) {
      if (commit != null) {
        done +=
            commit.offset()
                + LedgerCodec.decode(commit.offset(), commit.metadata())
                    .map(DoneRanges::size)
                    .orElse(0L);
      }
    }
    last = Math.max(0, end - done);
    most = Math.max(most, last);
    samples++;
  }

  /** The newest sample. */
  public long last() {
    return last;
  }

  /** The largest sample. */
  public long most() {
    return most;
  }

  /** How many samples there were. */
  public long samples() {
    return samples;
  }

  @Override
  public void close() {
    ending.countDown();
    try {
      thread.join(2_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    admin.close(Duration.ofSeconds(1));
  }
}
