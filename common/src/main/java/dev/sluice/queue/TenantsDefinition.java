// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import dev.sluice.ConfigException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Whether the tenants of a queue are served in turns, and what each may have. Immutable.
 *
 * @param on whether they are; tasks say their tenant in the header {@code sluice-tenant}, and those
 *     that say none are one tenant together
 * @param each what a tenant may have that is not named
 * @param named what those may have that are; at most 1,000
 */
public record TenantsDefinition(
    boolean on, TenantDefinition each, Map<String, TenantDefinition> named) {
  /** Tasks are served as they come, whoever has submitted them. */
  public static final TenantsDefinition NONE =
      new TenantsDefinition(false, TenantDefinition.DEFAULT, Map.of());

  /** Tenants are served in turns, each as much as the others. */
  public static final TenantsDefinition EQUAL =
      new TenantsDefinition(true, TenantDefinition.DEFAULT, Map.of());

  private static final int NAMED_MAX = 1_000;

  public TenantsDefinition {
    if (named.size() > NAMED_MAX) {
      throw new ConfigException(
          "tenants has " + named.size() + " named ones; name at most " + NAMED_MAX);
    }
    named = Map.copyOf(named);
  }

  /** The same with other bounds for those that are not named. */
  public TenantsDefinition withEach(TenantDefinition other) {
    return new TenantsDefinition(true, other, named);
  }

  /** The same with bounds for one. */
  public TenantsDefinition with(String tenant, TenantDefinition its) {
    Map<String, TenantDefinition> more = new LinkedHashMap<>(named);
    more.put(tenant, its);
    return new TenantsDefinition(true, each, more);
  }

  /** What a tenant may have. */
  public TenantDefinition of(String tenant) {
    return named.getOrDefault(tenant, each);
  }
}
