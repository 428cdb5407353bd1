// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console;

import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.OperatorSetting.What;
import dev.sluice.fleet.Report;
import dev.sluice.flow.share.Share;
import dev.sluice.queue.PrioritiesDefinition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What holds for a queue: configured, set by an operator, and in force.
 *
 * @param setting its name
 * @param configured what the processes are configured with; empty for nothing
 * @param effective what is in force
 * @param setBy who set it at run time; empty for nobody
 * @param until when that ends; empty for never
 */
public record QueueDescription(
    String setting, String configured, String effective, String setBy, String until) {
  /** All lines of one queue. */
  public static List<QueueDescription> of(String queue, FleetPicture picture, long nowMillis) {
    List<QueueDescription> lines = new ArrayList<>();
    DeclaredQueue declared = picture.settings().declared().get(queue);
    if (declared != null) {
      lines.add(plain("topic", declared.topic()));
      lines.add(plain("group", declared.group()));
    }
    lines.add(
        line(
            "paused",
            "no",
            "no",
            picture.settings().set(queue, What.PAUSE, nowMillis),
            setting -> "yes"));
    lines.add(
        line(
            "sealed",
            "no",
            "no",
            picture.settings().set(queue, What.SEAL, nowMillis),
            setting -> "yes"));
    lines.add(
        line(
            "capacity",
            declared == null ? "" : number(declared.capacity()),
            "",
            picture.settings().set(queue, What.CAPACITY, nowMillis),
            setting -> number(setting.value())));
    lines.add(
        line(
            "targetDelay",
            declared == null || declared.targetDelayMillis() == 0
                ? ""
                : declared.targetDelayMillis() + " ms",
            "",
            picture.settings().set(queue, What.TARGET_DELAY, nowMillis),
            setting -> setting.value() == 0 ? "none" : setting.value() + " ms"));
    if (declared != null) {
      lines.add(plain("priorities", priorities(declared.priorities())));
      lines.add(plain("maxChildren", number(declared.childrenPerTask())));
    }
    lines.add(
        line(
            "fleetRate",
            configured(picture, LimitKey.ofQueue(LimitKey.Kind.RATE, queue)),
            "",
            picture.settings().set(queue, What.FLEET_RATE, nowMillis),
            setting -> rate(new Share(setting.value(), setting.burst()))));
    lines.add(
        line(
            "fleetConcurrency",
            configured(picture, LimitKey.ofQueue(LimitKey.Kind.CONCURRENCY, queue)),
            "",
            picture.settings().set(queue, What.FLEET_CONCURRENCY, nowMillis),
            setting -> Long.toString(setting.value())));
    lines.add(plain("coordinator", picture.coordinatorName().orElse("none")));
    return lines;
  }

  private static String priorities(PrioritiesDefinition priorities) {
    if (priorities.levels() == 1) {
      return "none";
    }
    String weights =
        priorities.weights().stream().map(String::valueOf).collect(Collectors.joining(" : "));
    return "weights " + weights + (priorities.floor() > 0 ? ", floor " + priorities.floor() : "");
  }

  private static QueueDescription plain(String name, String value) {
    return new QueueDescription(name, value, value, "", "");
  }

  private static QueueDescription line(
      String name,
      String configured,
      String nothing,
      Optional<OperatorSetting> set,
      java.util.function.Function<OperatorSetting, String> shown) {
    return set.map(
            setting ->
                new QueueDescription(
                    name,
                    configured,
                    shown.apply(setting),
                    setting.by(),
                    setting.expiresMillis() == 0
                        ? ""
                        : Instant.ofEpochMilli(setting.expiresMillis()).toString()))
        .orElseGet(
            () ->
                new QueueDescription(
                    name, configured, configured.isEmpty() ? nothing : configured, "", ""));
  }

  private static String number(long value) {
    return value == 0 ? "none" : Long.toString(value);
  }

  private static String configured(FleetPicture picture, LimitKey key) {
    Share least = null;
    for (Report report : picture.reports()) {
      for (LimitReport limit : report.limits()) {
        if (limit.key().equals(key) && !limit.configured().isNone()) {
          least = least == null ? limit.configured() : least.min(limit.configured());
        }
      }
    }
    if (least == null) {
      return "";
    }
    return key.kind() == LimitKey.Kind.RATE ? rate(least) : Long.toString(least.units());
  }

  private static String rate(Share share) {
    double perSecond = share.milliRate() / 1_000.0;
    return (perSecond == Math.rint(perSecond)
            ? Long.toString((long) perSecond)
            : Double.toString(perSecond))
        + "/s, burst "
        + share.units();
  }
}
