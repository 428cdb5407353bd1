// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.ConfigException;
import dev.sluice.Task;
import dev.sluice.TaskContext;
import dev.sluice.TaskHandler;
import dev.sluice.wire.PayloadCodec;
import java.lang.reflect.InvocationTargetException;

/**
 * A user's handler, found by the name of its class. It runs with its own class loader as that of
 * its thread, since that is where libraries look for their services.
 */
final class ClassHandler implements TaskHandler<byte[]>, AutoCloseable {
  private final DecodingHandler<?> handler;
  private final ClassLoader loader;

  private ClassHandler(DecodingHandler<?> handler, ClassLoader loader) {
    this.handler = handler;
    this.loader = loader;
  }

  /**
   * Makes the handler.
   *
   * @throws ConfigException if there is no such class, or it is no handler or cannot be made
   */
  static ClassHandler load(String name, PayloadCodec codec, ClassLoader loader) {
    if (name.isBlank()) {
      throw new ConfigException(
          "The handler class: names no class; write for example class:org.example.MyHandler");
    }
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return new ClassHandler(make(name, codec, loader), loader);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private static DecodingHandler<?> make(String name, PayloadCodec codec, ClassLoader loader) {
    try {
      Class<?> type = Class.forName(name, true, loader);
      if (!TaskHandler.class.isAssignableFrom(type)) {
        throw new ConfigException(
            "Class " + name + " is no handler; let it implement " + TaskHandler.class.getName());
      }
      Class<?> payload = PayloadType.of(type);
      return decoding(payload, (TaskHandler<?>) type.getConstructor().newInstance(), codec);
    } catch (ClassNotFoundException e) {
      throw new ConfigException(
          "Class "
              + name
              + " of the handler is not on the class path; add its jar with --classpath",
          e);
    } catch (NoSuchMethodException | IllegalAccessException | InstantiationException e) {
      throw new ConfigException(
          "Class "
              + name
              + " cannot be made; it must be public and not abstract, static if it is inside another"
              + " class, and have a public constructor without arguments",
          e);
    } catch (InvocationTargetException e) {
      throw new ConfigException(
          "The constructor of " + name + " failed: " + e.getTargetException(), e);
    } catch (LinkageError e) {
      throw new ConfigException(
          "Class "
              + name
              + " cannot be loaded: "
              + e
              + "; add the jars that it needs with --classpath",
          e);
    }
  }

  @SuppressWarnings("unchecked") // the type argument of the handler is what it is decoded to
  private static DecodingHandler<?> decoding(
      Class<?> type, TaskHandler<?> handler, PayloadCodec codec) {
    return DecodingHandler.of((Class<Object>) type, (TaskHandler<Object>) handler, codec);
  }

  @Override
  public void handle(Task<byte[]> task, TaskContext context) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      handler.handle(task, context);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** Closes the user's handler, if it can be closed. */
  @Override
  public void close() {
    handler.close();
  }
}
