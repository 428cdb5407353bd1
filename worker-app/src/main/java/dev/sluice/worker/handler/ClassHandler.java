// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.ConfigException;
import dev.sluice.TaskHandler;
import dev.sluice.wire.PayloadCodec;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** Finds a user's handler by the name of its class. */
final class ClassHandler {
  private ClassHandler() {}

  static TaskHandler<byte[]> load(String name, PayloadCodec codec, ClassLoader loader) {
    try {
      Class<?> type = Class.forName(name, true, loader);
      if (!TaskHandler.class.isAssignableFrom(type)) {
        throw new ConfigException(
            "Class " + name + " is no handler; let it implement " + TaskHandler.class.getName());
      }
      TaskHandler<?> handler = (TaskHandler<?>) type.getConstructor().newInstance();
      return decoding(handler, payloadType(type), codec);
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
              + " cannot be made; it must be public and have a public constructor"
              + " without arguments",
          e);
    } catch (InvocationTargetException e) {
      throw new ConfigException(
          "The constructor of " + name + " failed: " + e.getTargetException(), e);
    }
  }

  @SuppressWarnings("unchecked") // the type argument of the handler is what it is decoded to
  private static TaskHandler<byte[]> decoding(
      TaskHandler<?> handler, Class<?> type, PayloadCodec codec) {
    return type == byte[].class
        ? (TaskHandler<byte[]>) handler
        : DecodingHandler.of((Class<Object>) type, (TaskHandler<Object>) handler, codec);
  }

  /** What {@code T} is in {@code TaskHandler<T>}; bytes where it cannot be told. */
  private static Class<?> payloadType(Class<?> type) {
    for (Class<?> c = type; c != null; c = superclass(c)) {
      for (Type implemented : c.getGenericInterfaces()) {
        if (implemented instanceof ParameterizedType p && p.getRawType() == TaskHandler.class) {
          Type argument = p.getActualTypeArguments()[0];
          if (argument instanceof Class<?> found) {
            return found;
          }
          if (argument instanceof ParameterizedType generic) {
            return (Class<?>) generic.getRawType();
          }
        }
      }
    }
    return byte[].class;
  }

  private static @Nullable Class<?> superclass(Class<?> type) {
    return type.getSuperclass();
  }
}
