// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** Reads who is served when. */
final class TurnsYaml {
  private TurnsYaml() {}

  /** As a mapping, or as the number of priorities alone. */
  static PrioritiesDefinition priorities(YamlObject o) {
    if (!o.isObject("priorities")) {
      return o.integer("priorities")
          .map(levels -> o.checked(() -> PrioritiesDefinition.levels(levels)))
          .orElse(PrioritiesDefinition.NONE);
    }
    return o.object("priorities").map(TurnsYaml::weights).orElse(PrioritiesDefinition.NONE);
  }

  private static PrioritiesDefinition weights(YamlObject o) {
    Optional<Integer> levels = o.integer("levels");
    Optional<List<Integer>> weights = o.integers("weights");
    Optional<Double> floor = o.number("floor");
    o.checkNothingElse();
    return o.checked(
        () -> {
          List<Integer> each =
              weights.orElseGet(() -> PrioritiesDefinition.levels(levels.orElse(1)).weights());
          if (levels.isPresent() && levels.get() != each.size()) {
            throw new ConfigException(
                "levels is " + levels.get() + ", and weights names " + each.size());
          }
          return new PrioritiesDefinition(each, floor.orElse(0.0));
        });
  }

  /** As a mapping, or as a flag. */
  static TenantsDefinition tenants(YamlObject o) {
    if (!o.isObject("tenants")) {
      return o.flag("tenants").orElse(false) ? TenantsDefinition.EQUAL : TenantsDefinition.NONE;
    }
    return o.object("tenants").map(TurnsYaml::tenantsObject).orElse(TenantsDefinition.NONE);
  }

  private static TenantsDefinition tenantsObject(YamlObject o) {
    TenantDefinition each = bounds(o, TenantDefinition.DEFAULT);
    TenantsDefinition tenants = TenantsDefinition.EQUAL.withEach(each);
    Map<String, YamlObject> named = o.object("named").map(YamlObject::objects).orElse(Map.of());
    for (Map.Entry<String, YamlObject> one : named.entrySet()) {
      TenantDefinition its = bounds(one.getValue(), each);
      one.getValue().checkNothingElse();
      tenants = tenants.with(one.getKey(), its);
    }
    o.checkNothingElse();
    TenantsDefinition all = tenants;
    return o.checked(() -> all);
  }

  private static TenantDefinition bounds(YamlObject o, TenantDefinition otherwise) {
    Optional<Integer> weight = o.integer("weight");
    Optional<Double> rate = o.number("rate");
    Optional<Integer> concurrency = o.integer("concurrency");
    return o.checked(
        () ->
            new TenantDefinition(
                weight.orElse(otherwise.weight()),
                rate.map(OptionalDouble::of).orElse(otherwise.rate()),
                concurrency.map(OptionalInt::of).orElse(otherwise.concurrency())));
  }
}
