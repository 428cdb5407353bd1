// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What one poll loop is made of.
 *
 * @param worker the name of the worker
 * @param group the consumer group
 * @param queues what it consumes
 * @param consumer the properties of the consumer
 * @param pollRecordsMax the most records that one poll brings
 * @param handover how long a revoke or a stop waits for running handlers
 * @param joinMost how long the group may leave a request to join unanswered
 * @param commitInterval the longest that a completion waits for its commit, while brokers answer
 * @param metadataBytesMax the most bytes of commit metadata that the brokers accept
 * @param overflow takes what does not fit there
 * @param batchesTopic what batches have counted
 * @param transactionalId of this process alone, for queues whose effects are transactional
 */
public record PollSettings(
    String worker,
    String group,
    List<QueueBinding> queues,
    Map<String, Object> consumer,
    int pollRecordsMax,
    Duration handover,
    Duration joinMost,
    Duration commitInterval,
    int metadataBytesMax,
    LedgerOverflow overflow,
    String batchesTopic,
    String transactionalId) {
  public PollSettings {
    queues = List.copyOf(queues);
    consumer = Map.copyOf(consumer);
  }
}
