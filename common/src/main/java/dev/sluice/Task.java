// SPDX-License-Identifier: Apache-2.0
package dev.sluice;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One unit of work: the queue it goes to, the type that picks its handler, a payload, and an
 * optional ordering key. Immutable to its users; the methods that set something return a new task.
 * Byte arrays are not copied: do not change them after they were given.
 *
 * @param <T> the type of the payload
 */
public final class Task<T> {
  private static final String CRITICALITY = "sluice-criticality";
  private static final String SHEDDABLE = "sheddable";
  private static final String DEADLINE = "sluice-deadline";
  private static final String PRIORITY = "sluice-priority";
  private static final String TENANT = "sluice-tenant";
  private static final int PRIORITIES_MAX = 10;
  private static final int TENANT_CHARS_MAX = 200;
  private static final String REPLY_TO = "sluice-reply-to";
  private static final String NOT_BEFORE = "sluice-not-before";

  /** Stands for the key of a received task until somebody asks for it. */
  private static final byte[] UNREAD = new byte[0];

  private final String queue;
  private @Nullable String type;
  private final @Nullable T payload;
  private final byte @Nullable [] key;
  private @Nullable String id;
  private @Nullable Map<String, String> headers;
  private final @Nullable Received received;

  /** Where a received task finds what it is asked for: most handlers ask for little of it. */
  public interface Received {
    /** The id of the task. */
    String id();

    /** The type of the task. */
    String type();

    /** The payload. */
    byte[] payload();

    /** The ordering key, or null. */
    byte @Nullable [] key();

    /** Its headers beyond those that Sluice sets itself. */
    Map<String, String> headers();
  }

  /** A task as a worker received it; everything is read when it is asked for. */
  public static Task<byte[]> received(String queue, Received from) {
    return new Task<>(queue, null, null, UNREAD, null, null, from);
  }

  private Task(
      String queue,
      @Nullable String type,
      @Nullable T payload,
      byte @Nullable [] key,
      @Nullable String id,
      @Nullable Map<String, String> headers,
      @Nullable Received received) {
    this.queue = requireNonNull(queue, "queue");
    this.type = received == null ? requireNonNull(type, "type") : type;
    this.payload = received == null ? requireNonNull(payload, "payload") : payload;
    this.key = key;
    this.id = id;
    this.headers = headers;
    this.received = received;
  }

  /** A task without key or id. */
  public static <T> Task<T> of(String queue, String type, T payload) {
    return new Task<>(queue, type, payload, null, null, Map.of(), null);
  }

  /** The same task with an ordering key; tasks of one key go to one partition. */
  public Task<T> key(String newKey) {
    return key(newKey.getBytes(UTF_8));
  }

  /** The same task with an ordering key; {@code null} for none. */
  public Task<T> key(byte @Nullable [] newKey) {
    return new Task<>(queue, type, payload, newKey, id, headers, received);
  }

  /** The same task under an id of the caller's; without one, submitting draws a UUIDv7. */
  public Task<T> id(String newId) {
    return new Task<>(queue, type, payload, key, requireNonNull(newId, "id"), headers, received);
  }

  /** The same task with one more header, for example {@code traceparent}. */
  public Task<T> header(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers());
    more.put(name, value);
    return new Task<>(queue, type, payload, key, id, Map.copyOf(more), received);
  }

  /**
   * The same task, to be refused first when its queue gets full: at four fifths of what the queue
   * may have. Tasks are critical without this.
   */
  public Task<T> shedFirst() {
    return header(CRITICALITY, SHEDDABLE);
  }

  /**
   * The same task with a time after which it is no longer worth running: no attempt begins then,
   * and the task ends as expired. By the wall clocks of the machines, to the millisecond.
   */
  public Task<T> deadline(Instant deadline) {
    return header(DEADLINE, Long.toString(deadline.toEpochMilli()));
  }

  /**
   * The same task with a time before which it does not run. It waits in the delay topics until
   * then, and comes into its queue when it is due. By the wall clocks of the machines, to the
   * millisecond; at most a year ahead.
   */
  public Task<T> notBefore(Instant due) {
    return header(NOT_BEFORE, Long.toString(due.toEpochMilli()));
  }

  /**
   * The same task, whose submitter wants to know how it ends and what its handler gives as the
   * result. Workers tell the topic {@code <queue>.results}, which everybody reads who waits for
   * results of that queue.
   */
  public Task<T> withResult() {
    return replyTo(queue + ".results");
  }

  /**
   * The same task, with a topic of its submitter's that is told how it ends, for example {@code
   * emails.results.billing}: workers write to topics only whose names end with {@code .results} or
   * contain {@code .results.}.
   */
  public Task<T> replyTo(String topic) {
    return header(REPLY_TO, topic);
  }

  /**
   * The same task with a priority, where its queue has some: 0 is the least, and what tasks have
   * without this. Each priority is a topic of its own, so that tasks of one key and two priorities
   * have no order among each other.
   *
   * @param level 0 to 9
   */
  public Task<T> priority(int level) {
    if (level < 0 || level >= PRIORITIES_MAX) {
      throw new IllegalArgumentException(
          "Priority " + level + " is outside of 0 to " + (PRIORITIES_MAX - 1));
    }
    return header(PRIORITY, Integer.toString(level));
  }

  /**
   * The same task, for a tenant: where its queue serves tenants in turns, those who submit little
   * do not wait for those who submit much.
   *
   * @param name 1 to 200 characters
   */
  public Task<T> tenant(String name) {
    if (name.isEmpty() || name.length() > TENANT_CHARS_MAX) {
      throw new IllegalArgumentException(
          "A tenant has a name of 1 to "
              + TENANT_CHARS_MAX
              + " characters, and not of "
              + name.length());
    }
    return header(TENANT, name);
  }

  /** Whether it is refused first when its queue gets full. */
  public boolean sheddable() {
    return SHEDDABLE.equals(headers().get(CRITICALITY));
  }

  /** The same task with another payload. */
  public <U> Task<U> payload(U newPayload) {
    return new Task<>(
        queue, type, requireNonNull(newPayload, "payload"), key, id, headers, received);
  }

  /** The name of the queue. */
  public String queue() {
    return queue;
  }

  /** The type, which picks the handler. */
  public String type() {
    Received from = received;
    String known = type;
    if (known == null) {
      known = requireNonNull(from).type();
      type = known;
    }
    return known;
  }

  /** The payload. */
  @SuppressWarnings("unchecked") // what was received is bytes until it is replaced
  public T payload() {
    T own = payload;
    return own == null ? (T) requireNonNull(received).payload() : own;
  }

  /** The ordering key, or null. */
  public byte @Nullable [] key() {
    Received from = received;
    return key == UNREAD && from != null ? from.key() : key;
  }

  /** The ordering key as UTF-8 text, or null. */
  public @Nullable String keyAsString() {
    byte[] bytes = key();
    return bytes == null ? null : new String(bytes, UTF_8);
  }

  /** The id; null only before a task without one was submitted. */
  public @Nullable String id() {
    Received from = received;
    if (id == null && from != null) {
      id = from.id();
    }
    return id;
  }

  /** Headers beyond those that Sluice sets itself. */
  public Map<String, String> headers() {
    Map<String, String> known = headers;
    if (known == null) {
      Received from = received;
      known = from == null ? Map.of() : from.headers();
      headers = known;
    }
    return known;
  }

  @Override
  public String toString() {
    return "Task[queue=" + queue + ", type=" + type() + ", id=" + id() + "]";
  }
}
