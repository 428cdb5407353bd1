// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

/**
 * The work of a user. Called on a handler thread, by several threads at once; returning normally
 * completes the task. What it throws decides what happens next: {@link PermanentTaskException} ends
 * the task in the dead letters, {@link BackpressureException} gives it back unharmed, anything else
 * (an {@link Error} too) is a failed attempt. A handler should return soon after its thread was
 * interrupted or {@link TaskContext#cancelled()} became true.
 *
 * @param <T> the type that the payload is decoded to
 */
@FunctionalInterface
public interface TaskHandler<T> {
  /**
   * Works one attempt of a task.
   *
   * @param task the task with its decoded payload
   * @param context what this attempt may know and say
   * @throws Exception see the type's description
   */
  void handle(Task<T> task, TaskContext context) throws Exception;
}
