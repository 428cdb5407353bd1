// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.engine;

import dev.sluice.flow.limit.Limit;
import dev.sluice.flow.share.FairClock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Serves the tenants of a queue in turns: one that has submitted a hundred times as much as others
 * has a hundred times as much waiting, and no more started while others have something. Within a
 * tenant it is the order of {@link RunQueue}. Who may not start more for now is set aside and costs
 * nothing until then.
 */
final class TenantTurns implements ReadyTasks {
  private final Tenants tenants;
  private final FairClock clock = new FairClock();
  private final Map<String, Line> lines = new HashMap<>();
  private final PriorityQueue<Line> waiting =
      new PriorityQueue<>(Comparator.comparingLong(Line::tag).thenComparingLong(l -> l.number));
  private final PriorityQueue<Line> limited =
      new PriorityQueue<>(Comparator.comparingLong(l -> l.untilNanos));
  private long numbers;
  private int size;

  private enum Place {
    /** It has no runs. */
    EMPTY,
    /** It has some, and its turn comes. */
    WAITING,
    /** It has some, and may start one after a time. */
    LIMITED,
    /** It has some, and may start one when another of its tenant ends. */
    FULL
  }

  /** The runs of one tenant. */
  final class Line extends FairClock.Sharer {
    final Tenants.Tenant tenant;
    final RunQueue runs = new RunQueue();
    private Place place = Place.EMPTY;
    private int running;
    private long number;
    private long untilNanos;

    Line(Tenants.Tenant tenant) {
      super(tenant.definition.weight());
      this.tenant = tenant;
    }

    /** A run of its tenant has ended. */
    void mayGoOn() {
      if (place == Place.FULL) {
        enqueue(this);
      }
    }
  }

  TenantTurns(Tenants tenants) {
    this.tenants = tenants;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public void addLast(TaskRun run) {
    lineOf(run).runs.addLast(run);
    added(run);
  }

  @Override
  public void addFirst(TaskRun run) {
    lineOf(run).runs.addFirst(run);
    added(run);
  }

  @Override
  public void addReleased(TaskRun run) {
    lineOf(run).runs.addReleased(run);
    added(run);
  }

  private Line lineOf(TaskRun run) {
    Line line = run.line;
    if (line == null || line.place == Place.EMPTY) {
      // An empty line is forgotten when it has nothing running: this may be another one by now.
      line = lines.computeIfAbsent(run.tenant(), name -> new Line(tenants.of(name)));
      run.line = line;
    }
    return line;
  }

  private void added(TaskRun run) {
    size++;
    Line line = run.line;
    if (line != null && line.place == Place.EMPTY) {
      line.tenant.uses++;
      enqueue(line);
    }
  }

  private void enqueue(Line line) {
    clock.enter(line);
    line.place = Place.WAITING;
    line.number = ++numbers;
    waiting.add(line);
  }

  @Override
  public @Nullable TaskRun poll(long nowNanos, boolean probe) {
    for (Line due = limited.peek();
        due != null && due.untilNanos - nowNanos <= 0;
        due = limited.peek()) {
      limited.poll();
      enqueue(due);
    }
    for (Line line = waiting.poll(); line != null; line = waiting.poll()) {
      long wait = line.tenant.tryStart(nowNanos);
      if (wait == Limit.GRANTED) {
        return start(line, probe);
      }
      if (wait == Limit.UNTIL_RELEASE) {
        line.place = Place.FULL;
        line.tenant.tellWhenOneEnds(line);
      } else {
        line.place = Place.LIMITED;
        line.untilNanos = nowNanos + wait;
        limited.add(line);
      }
    }
    return null;
  }

  private @Nullable TaskRun start(Line line, boolean probe) {
    TaskRun run = line.runs.poll(probe);
    size--;
    line.running++;
    clock.serve(line);
    if (line.runs.size() == 0) {
      emptied(line);
    } else {
      waiting.add(line);
    }
    return run;
  }

  private void emptied(Line line) {
    line.place = Place.EMPTY;
    line.tenant.uses--;
    forgetIfIdle(line);
  }

  private void forgetIfIdle(Line line) {
    if (line.place == Place.EMPTY && line.running == 0) {
      lines.remove(line.tenant.name, line);
    }
  }

  @Override
  public void takenBack(TaskRun run) {
    Line line = run.line;
    if (line == null) {
      return;
    }
    boolean queued = line.place == Place.WAITING && waiting.remove(line);
    clock.undo(line);
    if (queued) {
      waiting.add(line);
    }
    line.running--;
    line.tenant.notStarted();
    forgetIfIdle(line);
  }

  @Override
  public void ended(TaskRun run) {
    Line line = run.line;
    if (line != null) {
      line.running--;
      line.tenant.ended();
      forgetIfIdle(line);
    }
  }

  @Override
  public long waitNanos(long nowNanos) {
    Line next = limited.peek();
    return next == null ? Limit.UNTIL_RELEASE : Math.max(1, next.untilNanos - nowNanos);
  }

  @Override
  public long urgency() {
    return 0;
  }

  @Override
  public void removeGone() {
    List<Line> all = new ArrayList<>(lines.values());
    for (Line line : all) {
      int before = line.runs.size();
      line.runs.removeGone();
      size -= before - line.runs.size();
      if (before > 0 && line.runs.size() == 0) {
        waiting.remove(line);
        limited.remove(line);
        line.tenant.forget(line);
        emptied(line);
      }
    }
  }
}
