// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.TaskContext;
import java.util.concurrent.atomic.AtomicReference;

/** A context of that attempt, of the record orders/3/42. */
record FakeContext(int attempt, AtomicReference<Object> given) implements TaskContext {
  FakeContext(int attempt) {
    this(attempt, new AtomicReference<>());
  }

  @Override
  public String submit(dev.sluice.Task<?> child) {
    throw new UnsupportedOperationException("Nothing is submitted here");
  }

  static final FakeContext FIRST = new FakeContext(1);

  @Override
  public boolean cancelled() {
    return false;
  }

  @Override
  public void heartbeat(String progress) {}

  @Override
  public void result(Object value) {
    given.set(value);
  }

  @Override
  public String worker() {
    return "w1";
  }

  @Override
  public String topic() {
    return "orders";
  }

  @Override
  public int partition() {
    return 3;
  }

  @Override
  public long offset() {
    return 42;
  }
}
