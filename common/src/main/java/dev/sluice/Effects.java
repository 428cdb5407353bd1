// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** How the tasks that a handler submits go together with the end of its own task. */
public enum Effects {
  /**
   * They are published when the handler has returned, before its task counts as done: a crash in
   * between publishes them a second time, under the same ids.
   */
  AT_LEAST_ONCE,
  /**
   * They are published, and the task is done, in one Kafka transaction: both or neither, exactly
   * once. Tasks that end while a transaction is under way share the next one; after a crash the
   * partitions of the worker wait until the brokers have ended its last transaction.
   */
  TRANSACTIONAL
}
