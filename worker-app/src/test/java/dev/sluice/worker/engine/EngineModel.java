// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.Order;
import dev.sluice.flow.ledger.DoneRanges;
import dev.sluice.flow.ledger.LedgerCodec;
import dev.sluice.flow.ledger.LedgerSnapshot;
import dev.sluice.flow.limit.Limit;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.queue.TenantDefinition;
import dev.sluice.queue.TenantsDefinition;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/** An engine among threads, a broker and a clock that are played by chance, and what must hold. */
final class EngineModel {
  private static final int PARTITIONS = 3;
  private static final long STALL_NANOS = 100_000;
  private static final long BYTES_MAX = 600;

  /** A thread with what it took: what it is at comes first, and what it has not reported. */
  private static final class Slot {
    final HandlerState handler;
    final Deque<TestRun> rest;
    final Deque<TestRun> unreported = new ArrayDeque<>();
    int worked;

    Slot(List<TestRun> batch) {
      handler = batch.get(0).handler;
      rest = new ArrayDeque<>(batch);
    }
  }

  /** One assignment, as the model sees it. */
  private static final class Held {
    final PartitionState state;
    final Map<String, Deque<TestRun>> open = new HashMap<>();
    final Map<Long, TestRun> unfinished = new HashMap<>();
    final Set<String> hung = new HashSet<>();
    long next;

    Held(PartitionState state, long next) {
      this.state = state;
      this.next = next;
    }
  }

  private final RandomGenerator random;
  private final Engine engine;
  private final QueueState queue;
  private final List<HandlerState> handlers = new ArrayList<>();
  private final Map<HandlerState, FakeLimit> threadLimits = new HashMap<>();
  private final Map<HandlerState, FakeLimit> taskLimits = new HashMap<>();
  private final Order order;
  private static final String ONE_AT_A_TIME = "one";
  private static final List<String> TENANTS = List.of(ONE_AT_A_TIME, "limited", "a", "b");

  private final int keys;
  private final int laneCapacity;
  private final int shelfCapacity;
  private final int pollRecordsMax;
  private final int uncommittedMax;
  private final int metadataMax;
  private final int calm;
  private final int slow;

  /** One handler, whose tasks may take next to nothing: partitions have lines at times. */
  private final boolean quick;

  private final Held[] assigned = new Held[PARTITIONS];
  private final LedgerSnapshot[] committed = new LedgerSnapshot[PARTITIONS];
  private final List<Set<Long>> everEnded = new ArrayList<>();
  private final List<Slot> slots = new ArrayList<>();
  private final Map<TestRun, Held> owners = new HashMap<>();
  private final Map<String, TestRun> running = new HashMap<>();
  private final List<TestRun> leaving = new ArrayList<>();
  private final List<TestRun> hung = new ArrayList<>();

  /** Ended runs of partitions that are gone, whose given-up threads are still inside. */
  private final Set<TestRun> lingering = new HashSet<>();

  private final Deque<Map<PartitionState, LedgerSnapshot>> inFlight = new ArrayDeque<>();
  private long now;
  private int ended;
  private int readAgain;
  private int inLine;

  EngineModel(RandomGenerator random) {
    this.random = random;
    now = random.nextLong() >> 1;
    engine = new Engine(BYTES_MAX, new Membership(2 * STALL_NANOS, now), random.nextLong(), now);
    quick = random.nextInt(3) == 0;
    queue =
        quick
            ? new QueueState("q", random.nextInt(1, 8))
            : new QueueState("q", random.nextInt(1, 8), false, priorities(random), tenants(random));
    for (String type : quick ? List.of("x") : List.of("x", "y")) {
      FakeLimit thread = new FakeLimit(true, random.nextInt(1, 6));
      FakeLimit task = new FakeLimit(false, random.nextInt(1, 20));
      HandlerState handler = new HandlerState(queue, type, List.of(thread, task));
      threadLimits.put(handler, thread);
      taskLimits.put(handler, task);
      handlers.add(handler);
      engine.add(handler);
    }
    order = Order.values()[random.nextInt(Order.values().length)];
    keys = random.nextInt(1, 20);
    laneCapacity = random.nextInt(2, 40);
    pollRecordsMax = random.nextInt(1, laneCapacity + 1);
    shelfCapacity = random.nextBoolean() ? 0 : random.nextInt(1, 100);
    uncommittedMax = random.nextInt(1, 60);
    calm = new int[] {1, 4, 40}[random.nextInt(3)];
    slow = new int[] {1, 4, 20}[random.nextInt(3)];
    metadataMax = random.nextBoolean() ? 4_000 : random.nextInt(40);
    for (int i = 0; i < PARTITIONS; i++) {
      committed[i] = new LedgerSnapshot(0, "", 0, true);
      everEnded.add(new HashSet<>());
      assign(i);
    }
  }

  private static PrioritiesDefinition priorities(RandomGenerator random) {
    return random.nextBoolean()
        ? PrioritiesDefinition.NONE
        : PrioritiesDefinition.levels(random.nextInt(2, 4));
  }

  private static TenantsDefinition tenants(RandomGenerator random) {
    if (random.nextBoolean()) {
      return TenantsDefinition.NONE;
    }
    TenantsDefinition tenants =
        TenantsDefinition.EQUAL.with(ONE_AT_A_TIME, TenantDefinition.DEFAULT.withConcurrency(1));
    if (random.nextBoolean()) {
      tenants = tenants.with("limited", TenantDefinition.DEFAULT.withRate(200_000).withWeight(3));
    }
    return tenants;
  }

  int ended() {
    return ended;
  }

  /** How often some partition was found to have a line. */
  int inLine() {
    return inLine;
  }

  int readAgain() {
    return readAgain;
  }

  void step() {
    switch (random.nextInt(24)) {
      case 0, 1, 2, 3 -> poll(random.nextInt(PARTITIONS));
      case 4, 5, 6, 7 -> take();
      case 8, 9, 10, 11, 12, 13 -> work();
      case 14, 15 -> {
        now += random.nextInt(random.nextInt(40) == 0 ? (int) STALL_NANOS * 3 : 2_000);
        now += quick && random.nextInt(4) == 0 ? random.nextInt(2_000_000_000) : 0;
        engine.turn(now);
        if (engine.suspended() || random.nextBoolean()) {
          engine.proven(now);
        }
      }
      case 16, 17 -> commit();
      case 18 -> acknowledge();
      case 19 -> deadLettered();
      case 20 -> hungReturned();
      case 21 -> {
        if (quick && !slots.isEmpty() && random.nextBoolean()) {
          heldUp(slots.get(random.nextInt(slots.size())));
        }
        takeBack();
      }
      case 22 -> changeLimits();
      default -> {
        if (random.nextInt(calm) == 0) {
          rebalance(random.nextInt(PARTITIONS));
        }
      }
    }
  }

  // ---- what happens ----

  private void rebalance(int partition) {
    PartitionId id = new PartitionId("t", partition);
    Held held = assigned[partition];
    if (held == null) {
      assign(partition);
    } else if (random.nextInt(3) > 0) {
      engine.drain(List.of(id));
      takeBack();
    } else {
      remove(partition);
      if (random.nextBoolean()) {
        assign(partition);
      }
    }
  }

  private void remove(int partition) {
    takeBack();
    for (TestRun run : hung) {
      String name = names.get(run);
      if (name != null && owners.get(run) == assigned[partition]) {
        if (!unfinishedKeys(assigned[partition]).contains(name)) {
          lingering.add(run);
        }
      }
    }
    engine.removed(new PartitionId("t", partition));
    assigned[partition] = null;
  }

  private void assign(int partition) {
    LedgerSnapshot from = committed[partition];
    DoneRanges restored = LedgerCodec.decode(from.position(), from.metadata()).orElseThrow();
    PartitionState state =
        engine.assigned(
            new Assignment(
                queue,
                "t",
                partition,
                partition % queue.levels(),
                from.position(),
                from.position(),
                restored,
                laneCapacity,
                shelfCapacity,
                pollRecordsMax,
                uncommittedMax));
    assigned[partition] = new Held(state, from.position());
  }

  private void poll(int partition) {
    Held held = assigned[partition];
    engine.plan(now);
    if (held == null || held.state.pauses.paused()) {
      return;
    }
    int records = random.nextInt(pollRecordsMax + 1);
    if (held.state.wantedFrom() >= 0) {
      readAgain(held, records);
      return;
    }
    for (int i = 0; i < records; i++) {
      long offset = held.next;
      held.next++;
      if (OrderedBy.mix(offset) % 5 == 0) {
        continue; // this offset does not exist
      }
      if (held.state.ledger.wasDone(offset)) {
        require(everEnded.get(partition).contains(offset), "restored what was not done", offset);
        held.state.ledger.seenUpTo(offset + 1);
        continue;
      }
      accept(held, offset);
    }
  }

  /** The log has so many records from the first one that is wanted. */
  private void readAgain(Held held, int records) {
    long first = held.state.wantedFrom();
    for (long offset = first; offset < first + records; offset++) {
      TaskRun run = held.state.wantedAt(offset);
      if (run != null && engine.hasRoomFor(run)) {
        require(!((TestRun) run).hasRecord, "read again although it is there", run);
        ((TestRun) run).hasRecord = true;
        engine.unshelved(run, TestRun.BYTES);
        readAgain++;
      }
    }
  }

  private void accept(Held held, long offset) {
    long mixed = OrderedBy.mix(offset ^ 77);
    byte[] key = mixed % 7 == 0 ? null : new byte[] {(byte) Math.floorMod(mixed, keys)};
    OrderedBy by = OrderedBy.of(order, held.state, key);
    TestRun run =
        new TestRun(
            offset,
            held.state,
            handlers.get((int) Math.floorMod(offset, (long) handlers.size())),
            by);
    if (queue.inTurns()) {
      String tenant = TENANTS.get((int) Math.floorMod(mixed, 4L));
      run.served(held.state.partition % queue.levels(), queue.hasTenants() ? tenant : "");
    }
    owners.put(run, held);
    held.unfinished.put(offset, run);
    if (by.ordered()) {
      held.open.computeIfAbsent(name(key), k -> new ArrayDeque<>()).addLast(run);
      names.put(run, name(key));
    }
    engine.accept(run);
  }

  private final Map<TestRun, String> names = new HashMap<>();

  private String name(byte[] key) {
    return order == Order.PARTITION ? "all" : String.valueOf(key[0]);
  }

  private void take() {
    TaskRun[] into = new TaskRun[random.nextInt(1, 10)];
    int taken = engine.take(into, now);
    if (taken == 0) {
      return;
    }
    List<TestRun> batch = new ArrayList<>();
    for (int i = 0; i < taken; i++) {
      TestRun run = (TestRun) into[i];
      taken(run);
      batch.add(run);
    }
    require(batch.stream().allMatch(r -> r.handler == batch.get(0).handler), "mixed batch", batch);
    slots.add(new Slot(batch));
    begin(batch.get(0));
  }

  private void taken(TestRun run) {
    Held held = owners.get(run);
    require(held.unfinished.get(run.offset()) == run, "taken after its end", run);
    require(!run.partition.gone(), "taken although its partition is gone", run);
    require(mayRun(run), "one too many of its tenant", run);
    require(!run.partition.draining, "taken although its partition drains", run);
    require(run.hasRecord, "taken although its record was forgotten", run);
    for (Slot slot : slots) {
      for (TestRun other : slot.rest) {
        require(
            other.partition.partition != run.partition.partition || other.offset() != run.offset(),
            "runs twice at once",
            run);
      }
    }
  }

  private boolean mayRun(TestRun run) {
    return !run.tenant().equals(ONE_AT_A_TIME)
        || slots.stream()
            .flatMap(slot -> slot.rest.stream())
            .noneMatch(other -> other.tenant().equals(ONE_AT_A_TIME));
  }

  private void begin(TestRun run) {
    Held held = owners.get(run);
    require(!run.partition.gone(), "started although its partition is gone", run);
    String name = names.get(run);
    if (name != null) {
      require(held.open.get(name).peekFirst() == run, "started before its turn", run);
      require(!held.hung.contains(name), "started beside a hung one", run);
      TestRun other = running.put(run.partition.partition + "/" + name, run);
      require(other == null, "two of one key run: " + other, run);
    }
  }

  /** A thread ends its next attempt, or is through. */
  private void work() {
    if (slots.isEmpty() || random.nextInt(slow) > 0) {
      return;
    }
    Slot slot = slots.get(random.nextInt(slots.size()));
    TestRun run = slot.rest.poll();
    if (run != null) {
      slot.worked++;
      int how = random.nextInt(20);
      if (how < 13) {
        succeeded(slot, run);
        if (!slot.rest.isEmpty()) {
          begin(slot.rest.peek());
          return;
        }
        if (random.nextBoolean()) {
          return;
        }
      } else {
        while (!slot.rest.isEmpty()) {
          engine.unstarted(slot.rest.pollLast());
        }
        report(slot);
        if (how == 17) {
          expired(run);
        } else {
          failed(run, how);
        }
      }
    }
    slots.remove(slot);
    report(slot);
    boolean fast = quick && random.nextInt(8) > 0;
    long nanos = random.nextInt(fast ? 2_000 * Math.max(1, slot.worked) : 300_000);
    engine.slotEnded(slot.handler, slot.worked, nanos);
  }

  private void succeeded(Slot slot, TestRun run) {
    run.handler.attemptEnded(Limit.Ending.SUCCESS, 1, null);
    stopped(run);
    turnEnded(run);
    slot.unreported.add(run);
  }

  private void report(Slot slot) {
    for (TestRun run = slot.unreported.poll(); run != null; run = slot.unreported.poll()) {
      boolean gone = run.partition.gone();
      require(engine.succeeded(run, 1) == !gone, "success counts wrongly", run);
      if (!gone) {
        finished(run);
      }
    }
  }

  private void expired(TestRun run) {
    boolean gone = owners.get(run).state.gone();
    run.handler.attemptNotBegun();
    stopped(run);
    require(engine.notRun(run, Engine.Left.EXPIRED) == !gone, "expiry counts wrongly", run);
    if (!gone) {
      turnEnded(run);
      finished(run);
    }
  }

  private void failed(TestRun run, int how) {
    Held held = owners.get(run);
    boolean gone = held.state.gone();
    run.handler.attemptEnded(Limit.Ending.FAILURE, 1, null);
    stopped(run);
    if (how < 18) {
      long delay = how == 13 ? 0 : random.nextInt(20_000);
      engine.retry(run, delay, how != 14, 1, now);
      return;
    }
    boolean hangs = how == 19;
    require(engine.deadLetter(run, hangs, 1) == !gone, "dead letter counts wrongly", run);
    if (!gone) {
      leaving.add(run);
    }
    if (hangs) {
      hung.add(run);
      if (!gone && names.containsKey(run)) {
        held.hung.add(names.get(run));
      }
    }
  }

  private void stopped(TestRun run) {
    if (names.containsKey(run)) {
      running.remove(run.partition.partition + "/" + names.get(run), run);
    }
  }

  private void heldUp(Slot slot) {
    TestRun run = slot.rest.peek();
    if (run != null) {
      engine.heldUp(run, now);
    }
  }

  private void takeBack() {
    for (Slot slot : slots) {
      while (slot.rest.size() > 1) {
        engine.unstarted(slot.rest.pollLast());
      }
      report(slot);
    }
  }

  private void turnEnded(TestRun run) {
    String name = names.get(run);
    if (name != null) {
      require(owners.get(run).open.get(name).pollFirst() == run, "ended before its turn", run);
    }
  }

  private void finished(TestRun run) {
    Held held = owners.get(run);
    require(held.unfinished.remove(run.offset()) == run, "ended twice", run);
    everEnded.get(held.state.partition).add(run.offset());
    ended++;
  }

  private void deadLettered() {
    if (!leaving.isEmpty()) {
      TestRun run = leaving.remove(random.nextInt(leaving.size()));
      boolean gone = run.partition.gone();
      require(engine.left(run, Engine.Left.DEAD) == !gone, "dead letter counts wrongly", run);
      if (!gone) {
        turnEnded(run);
        finished(run);
      }
    }
  }

  private void hungReturned() {
    if (!hung.isEmpty()) {
      TestRun run = hung.remove(random.nextInt(hung.size()));
      if (names.containsKey(run)) {
        owners.get(run).hung.remove(names.get(run));
      }
      lingering.remove(run);
      engine.hungReturned(run);
    }
  }

  private void commit() {
    Map<PartitionState, LedgerSnapshot> news =
        engine.snapshots(List.copyOf(engine.partitions()), metadataMax);
    news.forEach(
        (state, snapshot) -> {
          committed[state.partition] = snapshot;
          Held held = assigned[state.partition];
          for (TestRun run : held.unfinished.values()) {
            require(snapshot.position() <= run.offset(), "committed past an unfinished task", run);
          }
        });
    inFlight.add(news);
  }

  private void acknowledge() {
    if (!inFlight.isEmpty()) {
      engine.acknowledged(inFlight.poll());
    }
  }

  private void changeLimits() {
    HandlerState handler = handlers.get(random.nextInt(handlers.size()));
    threadLimits.get(handler).permits = random.nextInt(1, 6);
    taskLimits.get(handler).permits = random.nextInt(1, 20);
    taskLimits.get(handler).probing = random.nextInt(8) == 0;
    if (random.nextInt(4) == 0) {
      taskLimits.get(handler).refusesUntilNanos = now + random.nextInt(5_000);
    }
  }

  // ---- what must hold ----

  void check() {
    long open = 0;
    for (Held held : assigned) {
      if (held == null) {
        continue;
      }
      PartitionState p = held.state;
      open += held.unfinished.size();
      int shelved = (int) held.unfinished.values().stream().filter(run -> !run.hasRecord).count();
      require(p.shelf.size() == shelved, "shelved", p.shelf.size());
      require(shelved <= shelfCapacity, "the shelf overflows", shelved);
      require(p.lane.depth() == held.unfinished.size() - shelved, "lane depth", p.lane.depth());
      require(p.live || p.quiet(), "not looked after", p.topic + p.partition);
      require(p.lane.maxDepth() <= laneCapacity + 1, "lane overflow", p.lane.maxDepth());
      require(p.ledger.uncommitted() >= 0, "uncommitted", p.ledger.uncommitted());
      require(
          p.running >= 0 && p.ready >= 0 && p.retryWaiting >= 0 && p.leaving >= 0,
          "a negative count",
          p.topic + p.partition);
      long position = p.ledger.position();
      for (long offset : held.unfinished.keySet()) {
        require(position <= offset, "position past an unfinished task", offset);
      }
    }
    EngineSnapshot snapshot = engine.snapshot(now);
    require(snapshot.bytes() == open * TestRun.BYTES, "bytes", snapshot.bytes());
    require(queue.running == slots.size(), "running threads", queue.running);
    require(queue.running <= queue.concurrency, "too concurrent", queue.running);
    require(snapshot.keys() == keysHeld(), "keys, not " + keysHeld(), snapshot.keys());
    for (HandlerState handler : handlers) {
      long threads = slots.stream().filter(s -> s.handler == handler).count();
      long tasks =
          slots.stream().filter(s -> s.handler == handler).mapToInt(s -> s.rest.size()).sum();
      require(threadLimits.get(handler).used == threads, "thread permits", threads);
      require(taskLimits.get(handler).used == tasks, "task permits", tasks);
    }
  }

  private long keysHeld() {
    long held = lingering.size();
    for (Held h : assigned) {
      if (h != null) {
        Set<String> open = unfinishedKeys(h);
        open.addAll(h.hung);
        held += open.size();
        if (h.unfinished.values().stream().anyMatch(run -> run.inLine)) {
          held++;
          inLine++;
        }
      }
    }
    return held;
  }

  private Set<String> unfinishedKeys(Held held) {
    Set<String> open = new HashSet<>();
    for (TestRun run : held.unfinished.values()) {
      String name = names.get(run);
      if (name != null && !run.inLine) {
        open.add(name);
      }
    }
    return open;
  }

  /** Nothing new comes in: all that is there must end, and leave nothing behind. */
  void drain() {
    for (int i = 0; i < PARTITIONS; i++) {
      if (assigned[i] != null && assigned[i].state.draining) {
        remove(i);
      }
    }
    taskLimits.values().forEach(limit -> limit.refusesUntilNanos = Long.MIN_VALUE);
    // What is due next may be due soon, and then something else: each is a turn without an end.
    for (int idle = 0; idle < 50; ) {
      int before = ended;
      take();
      while (!slots.isEmpty()) {
        Slot slot = slots.remove(slots.size() - 1);
        for (TestRun run = slot.rest.poll(); run != null; run = slot.rest.poll()) {
          succeeded(slot, run);
          if (!slot.rest.isEmpty()) {
            begin(slot.rest.peek());
          }
        }
        report(slot);
        engine.slotEnded(slot.handler, 1, 1_000_000);
      }
      while (!leaving.isEmpty()) {
        deadLettered();
      }
      while (!hung.isEmpty()) {
        hungReturned();
      }
      commit();
      while (!inFlight.isEmpty()) {
        acknowledge();
      }
      engine.plan(now);
      int readBefore = readAgain;
      for (Held held : assigned) {
        if (held != null && held.state.wantedFrom() >= 0 && !held.state.pauses.paused()) {
          readAgain(held, 100);
        }
      }
      check();
      now += Math.min(20_000, engine.nextTurnNanos(now));
      engine.turn(now);
      engine.proven(now);
      idle = ended == before && readAgain == readBefore ? idle + 1 : 0;
    }
    for (Held held : assigned) {
      require(held == null || held.unfinished.isEmpty(), "stuck", describe(held));
    }
    require(engine.ready() == 0, "ready", engine.ready());
    require(engine.quiet(ids(engine.partitions())), "not quiet", "");
    require(engine.snapshot(now).keys() == 0, "keys left", engine.snapshot(now).keys());
  }

  private static String describe(Held held) {
    return held == null
        ? ""
        : held.unfinished.values() + " uncommitted=" + held.state.ledger.uncommitted();
  }

  private static Collection<PartitionId> ids(Collection<PartitionState> states) {
    return states.stream().map(s -> new PartitionId(s.topic, s.partition)).toList();
  }

  private static void require(boolean holds, String what, Object about) {
    if (!holds) {
      throw new AssertionError(what + ": " + about);
    }
  }
}
