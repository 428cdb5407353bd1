// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A commit beside the consumer. The classic consumer refuses to send one from when it asks to join
 * until it is answered, which can be for as long as the session of a member that has died. The
 * coordinator itself takes commits of the old generation for all that time: from a producer, which
 * does not know that its member is joining. Stateless.
 */
final class LastCommit {
  private static final Logger LOG = LoggerFactory.getLogger(LastCommit.class);
  private static final int TIMEOUT_MILLIS = 1_500;

  private LastCommit() {}

  /**
   * Commits once, and waits for it at most a few seconds.
   *
   * @param properties of the worker's producers
   * @param member who the worker was in the last generation that it knows
   * @return whether it is committed
   */
  static boolean inTransaction(
      PollSettings settings,
      Map<String, Object> properties,
      Map<TopicPartition, OffsetAndMetadata> offsets,
      ConsumerGroupMetadata member) {
    Map<String, Object> own = new HashMap<>(properties);
    own.put("transactional.id", settings.transactionalId() + "-last");
    own.put("transaction.timeout.ms", 2 * TIMEOUT_MILLIS);
    own.put("delivery.timeout.ms", TIMEOUT_MILLIS);
    own.put("request.timeout.ms", TIMEOUT_MILLIS);
    own.put("max.block.ms", TIMEOUT_MILLIS);
    own.put("linger.ms", 0);
    try {
      KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(own);
      try {
        producer.initTransactions();
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(offsets, member);
        producer.commitTransaction();
        LOG.info(
            "[worker={} group={}] The group is rebalancing: the last commit was a transaction",
            settings.worker(),
            settings.group());
        return true;
      } finally {
        producer.close(Duration.ZERO);
      }
    } catch (KafkaException e) {
      LOG.info(
          "[worker={} group={}] The last commit could not be made beside the group's rebalance: {}",
          settings.worker(),
          settings.group(),
          e.toString());
      return false;
    }
  }
}
