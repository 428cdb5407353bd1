// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.TaskHandler;
import dev.sluice.wire.PayloadCodec;

/** Handlers that want their payload in a type. */
public final class DecodingHandler {
  private DecodingHandler() {}

  /**
   * A handler of bytes that decodes them and calls another one. A payload that is not of that type
   * fails its task for good.
   */
  public static <T> TaskHandler<byte[]> of(
      Class<T> type, TaskHandler<? super T> handler, PayloadCodec codec) {
    return (task, context) -> {
      T payload = codec.decode(task.payload(), type);
      call(handler, task.payload(payload), context);
    };
  }

  @SuppressWarnings("unchecked") // a task is only read from
  private static <T> void call(
      TaskHandler<? super T> handler, dev.sluice.Task<T> task, dev.sluice.TaskContext context)
      throws Exception {
    ((TaskHandler<T>) handler).handle(task, context);
  }
}
