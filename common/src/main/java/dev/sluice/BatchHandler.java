// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import java.util.List;

/**
 * Works several tasks at once, for example with one statement of a database. Called by several
 * threads at once.
 *
 * @param <T> the type of the payloads
 */
@FunctionalInterface
public interface BatchHandler<T> {
  /**
   * Works these tasks. Those that were not told to have failed by {@link BatchItem#fail} are done
   * when it returns; where it throws, all others fail with that.
   *
   * @param items at least one, and no two of one key where tasks are ordered by key
   * @throws Exception if the tasks fail
   */
  void handle(List<BatchItem<T>> items) throws Exception;
}
