// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/** What one attempt of a task may know. Valid during the call of the handler; thread-safe. */
public interface TaskContext {
  /** 1 for the first attempt. Interrupted attempts do not count. */
  int attempt();

  /**
   * Whether this attempt should stop: its time is up, its partition was given to another worker, or
   * the worker stops. What it returns after its hand-over time is dropped.
   */
  boolean cancelled();

  /**
   * Says that this attempt gets on: its time-out counts from now on, unless it is over already. So
   * a task of hours can have a time-out of a minute.
   *
   * @param progress how far it is, for people; at most 200 characters of it are shown
   */
  void heartbeat(String progress);

  /**
   * Submits a task of any queue as a part of this one: it is published when the handler has
   * returned, before this task counts as done, and not at all if the handler throws. With {@link
   * Effects#TRANSACTIONAL} both happen in one transaction. It goes past the queue's capacity, since
   * a queue that waited for room to be drained would wait for ever. It carries the trace of this
   * one unless it has its own. Any thread of the handler may call it, before the handler returns.
   *
   * @param child without an id it has that of this task, a dot, and its number: an attempt that is
   *     repeated submits it under the same
   * @return its id
   * @throws IllegalStateException if this attempt is over, or has submitted 1,000 tasks or 8 MiB
   *     already: let children submit the rest
   * @throws PermanentTaskException if its payload cannot be encoded or is too large, or its topic
   *     does not exist
   */
  String submit(Task<?> child);

  /**
   * Gives the result of the task, for whoever asked ({@link Task#withResult}); where nobody did, it
   * is dropped. It is published when the handler has returned, before this task counts as done, and
   * not at all if the handler throws. The last one given counts.
   *
   * @param value encoded as a payload is; a {@code byte[]} is taken as it is
   * @throws IllegalStateException if this attempt is over
   * @throws PermanentTaskException if it cannot be encoded or is too large
   */
  void result(Object value);

  /** The name of the worker that runs this attempt. */
  String worker();

  /** The topic that the record was read from. */
  String topic();

  /** The partition that the record was read from. */
  int partition();

  /** The offset of the record. */
  long offset();
}
