// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.ConfigException;
import dev.sluice.TaskHandler;
import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code T} is for a class that implements {@code TaskHandler<T>}, itself or by a superclass
 * or another interface.
 */
final class PayloadType {
  private PayloadType() {}

  /**
   * The class to decode payloads to.
   *
   * @throws ConfigException if the class does not say it, or says something that a payload cannot
   *     be decoded to
   */
  static Class<?> of(Class<?> handler) {
    Type found = find(handler, Map.of());
    Class<?> type = found == null ? null : decodable(found);
    if (type == null) {
      throw new ConfigException(
          "The handler "
              + handler.getName()
              + " takes payloads of "
              + (found == null ? "no type" : found.getTypeName())
              + ", which cannot be decoded; let it implement TaskHandler<byte[]>, or TaskHandler of"
              + " a class of yours without type arguments");
    }
    return type;
  }

  private static @Nullable Type find(@Nullable Type type, Map<Type, Type> bound) {
    if (type instanceof ParameterizedType p && p.getRawType() == TaskHandler.class) {
      return replaced(p.getActualTypeArguments()[0], bound);
    }
    Class<?> raw = raw(type);
    if (raw == null) {
      return null;
    }
    Map<Type, Type> inner = new HashMap<>();
    if (type instanceof ParameterizedType p) {
      TypeVariable<?>[] names = raw.getTypeParameters();
      for (int i = 0; i < names.length; i++) {
        inner.put(names[i], replaced(p.getActualTypeArguments()[i], bound));
      }
    }
    for (Type implemented : raw.getGenericInterfaces()) {
      Type found = find(implemented, inner);
      if (found != null) {
        return found;
      }
    }
    return find(raw.getGenericSuperclass(), inner);
  }

  private static Type replaced(Type type, Map<Type, Type> bound) {
    return bound.getOrDefault(type, type);
  }

  private static @Nullable Class<?> raw(@Nullable Type type) {
    if (type instanceof ParameterizedType p) {
      return (Class<?>) p.getRawType();
    }
    return type instanceof Class<?> c ? c : null;
  }

  /** Its class, if decoding to that class makes what the type says. */
  private static @Nullable Class<?> decodable(Type type) {
    if (type instanceof Class<?> c) {
      return c;
    }
    if (type instanceof GenericArrayType array) {
      Class<?> component = decodable(array.getGenericComponentType());
      return component == null ? null : Array.newInstance(component, 0).getClass();
    }
    if (type instanceof ParameterizedType p) {
      for (Type argument : p.getActualTypeArguments()) {
        if (!plain(argument)) {
          return null; // List<Order> would hold maps and fail far from here
        }
      }
      return raw(p);
    }
    return null;
  }

  /** Whether values of this type come out of a decoder that is not told of it. */
  private static boolean plain(Type type) {
    if (type instanceof ParameterizedType p) {
      return decodable(p) != null;
    }
    return type instanceof WildcardType w
        ? w.getLowerBounds().length == 0 && w.getUpperBounds()[0] == Object.class
        : type == Object.class || type == String.class;
  }
}
