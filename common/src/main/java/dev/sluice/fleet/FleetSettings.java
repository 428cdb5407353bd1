// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet;

import dev.sluice.fleet.OperatorSetting.What;
import dev.sluice.flow.share.Share;
import dev.sluice.queue.PrioritiesDefinition;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All that the settings topic says: how queues are declared, and what operators have set over that.
 * Immutable.
 *
 * @param declared by queue
 * @param operator by queue and setting, expired ones included
 * @param cancels wishes by the id of the task, expired ones included
 */
public record FleetSettings(
    Map<String, DeclaredQueue> declared,
    Map<String, Map<What, OperatorSetting>> operator,
    Map<String, CancelWish> cancels) {
  /** Nothing. */
  public static final FleetSettings EMPTY = new FleetSettings(Map.of(), Map.of(), Map.of());

  public FleetSettings {
    declared = Map.copyOf(declared);
    cancels = Map.copyOf(cancels);
    Map<String, Map<What, OperatorSetting>> copy = new HashMap<>();
    operator.forEach((queue, set) -> copy.put(queue, Map.copyOf(set)));
    operator = Map.copyOf(copy);
  }

  /** The same with another declaration. */
  public FleetSettings with(DeclaredQueue queue) {
    Map<String, DeclaredQueue> all = new HashMap<>(declared);
    all.put(queue.queue(), queue);
    return new FleetSettings(all, operator, cancels);
  }

  /** The same with another setting of an operator. */
  public FleetSettings with(OperatorSetting setting) {
    return replaced(setting.queue(), setting.what(), setting);
  }

  /**
   * The same with another wish.
   *
   * @param nowMillis what has expired by then makes room for it
   */
  public FleetSettings with(CancelWish wish, long nowMillis) {
    Map<String, CancelWish> all = new HashMap<>(cancels);
    if (all.size() >= CancelWish.MOST) {
      all.values().removeIf(old -> !old.holds(nowMillis));
    }
    if (all.size() < CancelWish.MOST || all.containsKey(wish.id())) {
      all.put(wish.id(), wish);
    }
    return new FleetSettings(declared, operator, all);
  }

  /** The same without the wish about a task. */
  public FleetSettings withoutCancel(String id) {
    Map<String, CancelWish> all = new HashMap<>(cancels);
    all.remove(id);
    return new FleetSettings(declared, operator, all);
  }

  /** The same without a setting of an operator. */
  public FleetSettings without(String queue, What what) {
    return replaced(queue, what, null);
  }

  /** The same without the declaration of a queue. */
  public FleetSettings withoutDeclared(String queue) {
    Map<String, DeclaredQueue> all = new HashMap<>(declared);
    all.remove(queue);
    return new FleetSettings(all, operator, cancels);
  }

  private FleetSettings replaced(String queue, What what, @Nullable OperatorSetting setting) {
    Map<String, Map<What, OperatorSetting>> all = new HashMap<>(operator);
    Map<What, OperatorSetting> mine = new EnumMap<>(What.class);
    mine.putAll(all.getOrDefault(queue, Map.of()));
    if (setting == null) {
      mine.remove(what);
    } else {
      mine.put(what, setting);
    }
    all.put(queue, mine);
    return new FleetSettings(declared, all, cancels);
  }

  /** What an operator has set, where it still holds. */
  public Optional<OperatorSetting> set(String queue, What what, long nowMillis) {
    return Optional.ofNullable(operator.getOrDefault(queue, Map.of()).get(what))
        .filter(setting -> setting.holds(nowMillis));
  }

  /** Whether an operator has paused the queue. */
  public boolean paused(String queue, long nowMillis) {
    return set(queue, What.PAUSE, nowMillis).isPresent();
  }

  /** Whether an operator has sealed the queue. */
  public boolean sealed(String queue, long nowMillis) {
    return set(queue, What.SEAL, nowMillis).isPresent();
  }

  /** The bounds of the backlog of a queue that hold now. */
  public CreditSettings credit(String queue, long nowMillis) {
    DeclaredQueue known = declared.get(queue);
    long capacity =
        set(queue, What.CAPACITY, nowMillis)
            .map(OperatorSetting::value)
            .orElse(known == null ? 0 : known.capacity());
    long target =
        set(queue, What.TARGET_DELAY, nowMillis)
            .map(OperatorSetting::value)
            .orElse(known == null ? 0 : known.targetDelayMillis());
    return new CreditSettings(
        capacity,
        capacity == 0 ? 0 : target * 1_000_000,
        known == null ? 0 : known.childrenPerTask(),
        known == null ? PrioritiesDefinition.NONE : known.priorities());
  }

  /** The bounds of all queues that have some, and of which it is known where their tasks are. */
  public Map<String, CreditSettings> credits(long nowMillis) {
    Map<String, CreditSettings> all = new HashMap<>();
    for (String queue : declared.keySet()) {
      CreditSettings credit = credit(queue, nowMillis);
      if (credit.capacity() > 0) {
        all.put(queue, credit);
      }
    }
    return all;
  }

  /** The limits that operators have set. */
  public Map<LimitKey, Share> limits(long nowMillis) {
    Map<LimitKey, Share> limits = new HashMap<>();
    for (String queue : operator.keySet()) {
      set(queue, What.FLEET_RATE, nowMillis)
          .ifPresent(
              s ->
                  limits.put(
                      LimitKey.ofQueue(LimitKey.Kind.RATE, queue),
                      new Share(s.value(), s.burst())));
      set(queue, What.FLEET_CONCURRENCY, nowMillis)
          .ifPresent(
              s ->
                  limits.put(
                      LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, queue), new Share(0, s.value())));
    }
    return limits;
  }

  /** All queues that something is known of. */
  public Set<String> queues() {
    Set<String> all = new HashSet<>(declared.keySet());
    all.addAll(operator.keySet());
    return all;
  }
}
