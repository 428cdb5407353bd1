// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.PermanentTaskException;
import dev.sluice.SluiceException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.wire.PayloadCodec;

/**
 * A handler of bytes that decodes them and calls another one. A payload that is not of that type
 * fails its task for good, whatever the codec throws. Thread-safe as far as the other one is.
 *
 * @param <T> the type that the payload is decoded to
 */
public final class DecodingHandler<T> implements TaskHandler<byte[]>, AutoCloseable {
  private final Class<T> type;
  private final TaskHandler<? super T> handler;
  private final PayloadCodec codec;

  private DecodingHandler(Class<T> type, TaskHandler<? super T> handler, PayloadCodec codec) {
    this.type = type;
    this.handler = handler;
    this.codec = codec;
  }

  /** Decodes to that type and calls that handler. */
  public static <T> DecodingHandler<T> of(
      Class<T> type, TaskHandler<? super T> handler, PayloadCodec codec) {
    return new DecodingHandler<>(type, handler, codec);
  }

  @Override
  @SuppressWarnings("unchecked") // a task is only read from
  public void handle(Task<byte[]> task, TaskContext context) throws Exception {
    ((TaskHandler<T>) handler).handle(task.payload(decoded(task)), context);
  }

  private T decoded(Task<byte[]> task) {
    try {
      return codec.decode(task.payload(), type);
    } catch (PermanentTaskException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      throw new PermanentTaskException(
          "The payload of "
              + task.payload().length
              + " bytes cannot be decoded to "
              + type.getName()
              + ": "
              + e,
          e);
    }
  }

  /**
   * Closes the handler that is called, if it can be closed.
   *
   * @throws SluiceException with what it throws
   */
  @Override
  public void close() {
    if (handler instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        throw new SluiceException(
            "The handler " + handler.getClass().getName() + " cannot be closed: " + e, e);
      }
    }
  }
}
