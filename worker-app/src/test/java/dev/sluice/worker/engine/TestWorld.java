// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.Order;
import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.flow.limit.Limit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One queue with one handler in an engine, a virtual time, and a broker that keeps offsets. */
final class TestWorld {
  static final long STALL_NANOS = 1_000_000_000;

  final Engine engine;
  final QueueState queue;
  final HandlerState handler;
  final Map<PartitionId, LedgerSnapshot> committed = new HashMap<>();
  long now = 1_000;
  int laneCapacity = 50;
  int shelfCapacity;
  int pollRecordsMax = 10;
  int uncommittedMax = 100;
  int metadataBytesMax = 4_000;

  TestWorld() {
    this(4, List.of());
  }

  TestWorld(int concurrency, List<Limit> limits) {
    engine = new Engine(1L << 20, new Membership(2 * STALL_NANOS, now), 42, now);
    queue = new QueueState("q", concurrency);
    handler = new HandlerState(queue, "*", limits);
    engine.add(handler);
  }

  /** Assigns a partition where the broker's commit left it. */
  PartitionState assign(String topic, int partition) {
    LedgerSnapshot from =
        committed.getOrDefault(
            new PartitionId(topic, partition), new LedgerSnapshot(0, "", 0, true));
    DoneRanges restored = LedgerCodec.decode(from.position(), from.metadata()).orElseThrow();
    return engine.assigned(
        new Assignment(
            queue,
            topic,
            partition,
            0,
            from.position(),
            from.position(),
            restored,
            laneCapacity,
            shelfCapacity,
            pollRecordsMax,
            uncommittedMax));
  }

  TestRun accept(PartitionState partition, long offset, String key) {
    TestRun run = new TestRun(offset, partition, handler, orderedBy(partition, key));
    engine.accept(run);
    return run;
  }

  static OrderedBy orderedBy(PartitionState partition, String key) {
    return OrderedBy.of(Order.KEY, partition, key == null ? null : key.getBytes());
  }

  /**
   * What a thread gets that asks now; the test owes {@link Engine#slotEnded} if it is not empty.
   */
  List<TestRun> take() {
    TaskRun[] batch = new TaskRun[HandlerState.BATCH_MAX];
    int taken = engine.take(batch, now);
    List<TestRun> runs = new ArrayList<>();
    for (int i = 0; i < taken; i++) {
      runs.add((TestRun) batch[i]);
    }
    return runs;
  }

  /** One attempt succeeds and its thread is through. */
  void succeed(TestRun run) {
    run.handler().attemptEnded(Limit.Ending.SUCCESS, 1_000_000, null);
    engine.succeeded(run, 1_000_000);
    engine.slotEnded(run.handler(), 1, 1_000_000);
  }

  /** Commits all news, and the broker acknowledges. */
  void commit() {
    Map<PartitionState, LedgerSnapshot> news =
        engine.snapshots(List.copyOf(engine.partitions()), metadataBytesMax);
    news.forEach((p, s) -> committed.put(new PartitionId(p.topic, p.partition), s));
    engine.acknowledged(news);
  }
}
