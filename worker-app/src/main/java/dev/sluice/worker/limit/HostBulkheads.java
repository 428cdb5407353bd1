// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.limit;

import dev.sluice.ConfigException;
import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.pause.PauseReason;
import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One bulkhead per host that handlers of one worker call: however many handlers and queues post to
 * it, it gets no more requests at once. Used by one thread, while a worker is put together; its
 * limits are thread-safe.
 */
public final class HostBulkheads {
  /** The handlers of other queues are not told of a release: they look again after this. */
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private final Map<String, Bulkhead> hosts = new HashMap<>();

  /**
   * The part of one handler.
   *
   * @param host with its port
   * @throws ConfigException if another handler has another size for that host
   */
  public Limit of(String host, BulkheadConfig config) {
    Bulkhead bulkhead =
        hosts.computeIfAbsent(
            host,
            h ->
                Bulkhead.of(h, BulkheadConfig.from(config).maxWaitDuration(Duration.ZERO).build()));
    int known = bulkhead.getBulkheadConfig().getMaxConcurrentCalls();
    if (known != config.getMaxConcurrentCalls()) {
      throw new ConfigException(
          "Handlers for host "
              + host
              + " have bulkheads of "
              + known
              + " and "
              + config.getMaxConcurrentCalls()
              + "; they share one, so give them the same");
    }
    return new Part(bulkhead);
  }

  private static final class Part implements Limit {
    private final Bulkhead bulkhead;
    private final AtomicInteger own = new AtomicInteger();

    Part(Bulkhead bulkhead) {
      this.bulkhead = bulkhead;
    }

    @Override
    public boolean perThread() {
      return true;
    }

    @Override
    public int inUse() {
      return own.get();
    }

    @Override
    public PauseReason reason() {
      return PauseReason.BULKHEAD_FULL;
    }

    @Override
    public long tryAcquire(long nowNanos) {
      if (!bulkhead.tryAcquirePermission()) {
        return LOOK_NANOS;
      }
      own.incrementAndGet();
      return GRANTED;
    }

    @Override
    public void cancel() {
      own.decrementAndGet();
      bulkhead.releasePermission();
    }

    @Override
    public void release(Ending ending, long durationNanos, @Nullable Throwable failure) {
      own.decrementAndGet();
      bulkhead.onComplete();
    }
  }
}
