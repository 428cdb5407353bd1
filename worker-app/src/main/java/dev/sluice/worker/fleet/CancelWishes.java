// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.fleet;

import dev.sluice.fleet.CancelWish;
import dev.sluice.fleet.CancelWish.State;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;

/** Tasks that somebody wants not to run, as this worker has heard. Thread-safe. */
public final class CancelWishes {
  private final String worker;
  private final Queue<CancelWish> answers = new ArrayBlockingQueue<>(CancelWish.MOST);
  private volatile Map<String, CancelWish> wishes = Map.of();

  CancelWishes(String worker) {
    this.worker = worker;
  }

  /** Whether there is any; costs next to nothing. */
  public boolean any() {
    return !wishes.isEmpty();
  }

  /** Whether that task is not to run. */
  public boolean wanted(String id) {
    return wishes.containsKey(id);
  }

  /** That task has ended without having been run. */
  public void cancelled(String id) {
    CancelWish wish = wishes.get(id);
    if (wish != null && wish.state() == State.ASKED) {
      answer(wish, State.CANCELLED);
    }
  }

  /** What holds by now; returns those that were asked since the last time. */
  List<CancelWish> settings(Map<String, CancelWish> all, long nowMillis) {
    Map<String, CancelWish> before = wishes;
    Map<String, CancelWish> open = new HashMap<>();
    List<CancelWish> fresh = new ArrayList<>();
    all.forEach(
        (id, wish) -> {
          if (wish.holds(nowMillis)) {
            open.put(id, wish);
            CancelWish known = before.get(id);
            if (wish.state() == State.ASKED && (known == null || known.state() != State.ASKED)) {
              fresh.add(wish);
            }
          }
        });
    wishes = Map.copyOf(open);
    return fresh;
  }

  void answer(CancelWish wish, State state) {
    boolean ignored = answers.offer(wish.answered(state, worker)); // else nobody is told
  }

  List<CancelWish> takeAnswers() {
    List<CancelWish> taken = new ArrayList<>();
    for (CancelWish next = answers.poll(); next != null; next = answers.poll()) {
      taken.add(next);
    }
    return taken;
  }
}
