// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.ConfigException;
import dev.sluice.Effects;
import dev.sluice.Order;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;

class SluiceConfigTest {
  private static SluiceConfig parse(String yaml) {
    return SluiceConfig.parse("sluice.yaml", yaml, Map.of());
  }

  private static ThrowableAssertAlternative<ConfigException> refused(
      String yaml, Map<String, String> environment) {
    return assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SluiceConfig.parse("sluice.yaml", yaml, environment));
  }

  private static ThrowableAssertAlternative<ConfigException> refused(String yaml) {
    return refused(yaml, Map.of());
  }

  @Test
  void readsWhoIsServedWhen() {
    QueueDefinition reports =
        parse(
                """
                queues:
                  reports:
                    capacity: 1000
                    priorities: {weights: [1, 3, 9], floor: 0.1}
                    tenants:
                      concurrency: 20
                      named:
                        acme: {weight: 5, rate: 100}
                    maxDepth: 10
                    maxChildren: 2
                    dedupe: 1h
                    effects: transactional
                """)
            .queue("reports");
    assertThat(reports.priorities().weights()).containsExactly(1, 3, 9);
    assertThat(reports.topics()).containsExactly("reports", "reports.p1", "reports.p2");
    assertThat(reports.priorities().share(0)).isCloseTo(0.1 + 0.7 / 13, within(1e-9));
    assertThat(reports.tenants().of("others"))
        .isEqualTo(TenantDefinition.DEFAULT.withConcurrency(20));
    assertThat(reports.tenants().of("acme"))
        .isEqualTo(TenantDefinition.DEFAULT.withConcurrency(20).withWeight(5).withRate(100));
    assertThat(reports.children()).isEqualTo(new ChildrenDefinition(10, 2));
    assertThat(reports.checked()).isSameAs(reports);
    assertThat(reports.dedupe().window()).isEqualTo(Duration.ofHours(1));
    assertThat(reports.effects()).isEqualTo(Effects.TRANSACTIONAL);
  }

  @Test
  void readsTheShortFormsOfWhoIsServedWhen() {
    QueueDefinition short1 = parse("queues: {a: {priorities: 3, tenants: true}}").queue("a");
    assertThat(short1.priorities().weights()).containsExactly(1, 3, 9);
    assertThat(short1.tenants()).isEqualTo(TenantsDefinition.EQUAL);
  }

  @Test
  void refusesTurnsThatCannotBe() {
    refused("queues: {a: {priorities: 11}}").withMessageContaining("from 1 to 10");
    refused("queues: {a: {priorities: {weights: [1, two]}}}")
        .withMessageContaining("queues.a.priorities.weights has 'two'");
    refused("queues: {a: {priorities: {levels: 3, weights: [1, 2]}}}")
        .withMessageContaining("levels is 3, and weights names 2");
    refused("queues: {a: {priorities: {levels: 4, floor: 0.3}}}")
        .withMessageContaining("from 0 to 0.25");
    refused("queues: {a: {tenants: {named: {x: {weight: 0}}}}}")
        .withMessageContaining("weight is 0");
    QueueDefinition small =
        parse("queues: {a: {capacity: 4000, maxDepth: 10, maxChildren: 2}}").queue("a");
    assertThatThrownBy(small::checked)
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("which is 4020");
  }

  @Test
  void readsWhatIsSaidAndDefaultsTheRest() {
    SluiceConfig config =
        parse(
            """
            bootstrapServers: broker:9092
            kafka:
              client.id: mine
              linger.ms: 5
            queues:
              orders:
                topic: shop-orders
                order: partition
                concurrency: 1_000
                bufferBytes: 32MiB
                handover: 2s
                handlers:
                  ship:
                    handler: exec:cat
                    timeout: 5s
                    retry: {maxAttempts: 7, waitDuration: 1s}
                    bulkhead: {maxConcurrentCalls: 3}
                    rateLimiter: {limitForPeriod: 10, limitRefreshPeriod: 500ms}
                    circuitBreaker: {failureRateThreshold: 20}
            """);
    assertThat(config.bootstrapServers()).contains("broker:9092");
    assertThat(config.kafka()).containsEntry("client.id", "mine").containsEntry("linger.ms", "5");
    QueueDefinition orders = config.queue("orders");
    assertThat(orders.topic()).isEqualTo("shop-orders");
    assertThat(orders.deadLetterTopic()).isEqualTo("dlq.shop-orders");
    assertThat(orders.order()).isEqualTo(Order.PARTITION);
    assertThat(orders.concurrency()).isEqualTo(1_000);
    assertThat(orders.bufferBytes()).isEqualTo(32 << 20);
    assertThat(orders.handover()).isEqualTo(Duration.ofSeconds(2));
    assertThat(orders.buffer()).isEqualTo(QueueDefinition.named("orders").buffer());
    HandlerDefinition ship = orders.handlers().get("ship");
    assertThat(ship.spec()).contains("exec:cat");
    assertThat(ship.retry().maxAttempts()).isEqualTo(7);
    assertThat(ship.bulkhead()).contains(new BulkheadDefinition(3));
    assertThat(ship.rateLimiter()).contains(new RateLimiterDefinition(10, Duration.ofMillis(500)));
    assertThat(ship.circuitBreaker().orElseThrow().failureRateThreshold()).isEqualTo(20);
  }

  @Test
  void nothingAndAQueueWithoutSettingsAreDefaults() {
    assertThat(parse("")).isEqualTo(SluiceConfig.EMPTY);
    assertThat(parse("queues:\n  orders:\n").queue("orders"))
        .isEqualTo(QueueDefinition.named("orders"));
    assertThat(parse("").queue("any")).isEqualTo(QueueDefinition.named("any"));
  }

  @Test
  void anUnknownKeyIsRefusedWithItsPathAndASuggestion() {
    refused("queues:\n  orders:\n    concurency: 4\n")
        .withMessageContaining("sluice.yaml: queues.orders.concurency is unknown")
        .withMessageContaining("Did you mean 'concurrency'?");
    refused("queues: {o: {handlers: {x: {retry: {maxAtempts: 1}}}}}")
        .withMessageContaining("queues.o.handlers.x.retry.maxAtempts")
        .withMessageContaining("maxAttempts");
    refused("qeues: {}").withMessageContaining("'queues'");
    refused("queues: {o: {zzzzzzzz: 1}}").withMessageContaining("Known are:");
  }

  @Test
  void aValueOfTheWrongKindIsRefusedWithItsPath() {
    refused("queues: {o: {concurrency: many}}")
        .withMessageContaining("queues.o.concurrency is 'many', which is no number");
    refused("queues: {o: {concurrency: [1]}}").withMessageContaining("single value");
    refused("queues: [o]").withMessageContaining("queues must be a mapping");
    refused("queues: {o: {order: random}}").withMessageContaining("key, partition, none");
    refused("queues: {o: {handover: 5 parsecs}}").withMessageContaining("queues.o.handover");
    refused("- a").withMessageContaining("mapping");
    refused("queues: {o: {handlers: {x: {circuitBreaker: {failureRateThreshold: 'NaN'}}}}}")
        .withMessageContaining("queues.o.handlers.x.circuitBreaker");
  }

  @Test
  void aValueOutOfRangeIsRefusedWithItsRange() {
    refused("queues: {o: {concurrency: 0}}")
        .withMessageContaining("queues.o: concurrency is 0; it must be from 1 to 10000");
    refused("queues: {o: {handlers: {x: {retry: {maxAttempts: 0}}}}}")
        .withMessageContaining("queues.o.handlers.x.retry: maxAttempts is 0");
    refused("queues: {o: {topic: a, deadLetterTopic: a}}").withMessageContaining("'a'");
    refused("queues: {'bad name': {}}").withMessageContaining("bad name");
  }

  @Test
  void aKeyThatIsSaidTwiceIsRefusedWithItsLine() {
    refused("queues:\n  o: {}\n  o: {}\n").withMessageContaining("line 3");
  }

  @Test
  void theEnvironmentOverridesTheFile() {
    SluiceConfig config =
        SluiceConfig.parse(
            "sluice.yaml",
            "bootstrapServers: a:1\nqueues: {my-orders: {concurrency: 4}, bare: }\n",
            Map.of(
                "SLUICE_BOOTSTRAP_SERVERS", "b:2",
                "SLUICE_QUEUES_MY_ORDERS_CONCURRENCY", "9",
                "SLUICE_QUEUES_MY_ORDERS_BUFFER_BYTES", "2MiB",
                "SLUICE_QUEUES_BARE_CONCURRENCY", "3",
                "PATH", "/bin"));
    assertThat(config.bootstrapServers()).contains("b:2");
    assertThat(config.queue("my-orders").concurrency()).isEqualTo(9);
    assertThat(config.queue("my-orders").bufferBytes()).isEqualTo(2 << 20);
    assertThat(config.queue("bare").concurrency()).isEqualTo(3);
  }

  @Test
  void theEnvironmentMeansTheQueueWithTheLongestName() {
    SluiceConfig config =
        SluiceConfig.parse(
            "sluice.yaml",
            "queues: {orders: {concurrency: 1}, orders-eu: {concurrency: 2}}",
            Map.of("SLUICE_QUEUES_ORDERS_EU_CONCURRENCY", "9"));
    assertThat(config.queue("orders").concurrency()).isEqualTo(1);
    assertThat(config.queue("orders-eu").concurrency()).isEqualTo(9);
  }

  @Test
  void anUnknownVariableIsRefusedByItsName() {
    refused("queues: {orders: {}}", Map.of("SLUICE_QUEUES_ODERS_CONCURRENCY", "9"))
        .withMessageContaining("SLUICE_QUEUES_ODERS_CONCURRENCY");
    refused("queues: {orders: {}}", Map.of("SLUICE_QUEUES_ORDERS_CONCURENCY", "9"))
        .withMessageContaining("concurrency");
  }

  @Test
  void aWaitOutOfRangeIsRefusedUnderTheNameThatItHasInTheFile() {
    refused("queues: {o: {handlers: {x: {retry: {waitDuration: 2d}}}}}")
        .withMessageContaining("queues.o.handlers.x.retry.waitDuration is PT48H");
    refused(
            "queues: {o: {handlers: {x: {retry: {waitDuration: 10s,"
                + " exponentialMaxWaitDuration: 5s}}}}}")
        .withMessageContaining("retry.exponentialMaxWaitDuration is PT5S; it must be from PT10S");
  }

  @Test
  void aLongWaitNeedsNoOtherSetting() {
    QueueDefinition queue =
        parse("queues: {o: {handlers: {x: {retry: {waitDuration: 5m}}}}}").queue("o");
    assertThat(queue.handlers().get("x").retry().initialInterval())
        .isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void aSecondDocumentIsRefusedInsteadOfIgnored() {
    refused("queues: {o: {}}\n---\nqueues: {p: {}}\n").withMessageContaining("line");
  }

  @Test
  void anAliasIsRefusedWithItsLine() {
    refused("queues:\n  o: &base {concurrency: 4}\n  p: *base\n")
        .withMessageContaining("line 3")
        .withMessageContaining("*base");
  }

  @Test
  void itsTextHoldsNoSecrets() {
    assertThat(parse("kafka: {sasl.jaas.config: 'password=\"hunter2\"'}").toString())
        .contains("sasl.jaas.config")
        .doesNotContain("hunter2");
  }

  @Test
  void aFileThatCannotBeReadIsNamed() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> SluiceConfig.read(Path.of("no-such-file.yaml"), Map.of()))
        .withMessageContaining("no-such-file.yaml");
  }

  @Test
  void fleetLimitsAndCapacityAreReadInBothForms() {
    SluiceConfig config =
        SluiceConfig.parse(
            "f",
            """
            fleet: {lease: 3s, grantsPartitions: 2}
            queues:
              a:
                capacity: 5000
                targetDelay: 2s
                fleetRate: 200
                fleetConcurrency: {limit: 7, mode: strict}
                handlers:
                  t:
                    handler: log
                    destination: smtp
                    fleetRate: {rate: 5, burst: 1}
            """,
            Map.of());
    QueueDefinition a = config.queue("a");
    assertThat(a.capacity())
        .isEqualTo(new CapacityDefinition(5_000, Optional.of(Duration.ofSeconds(2))));
    assertThat(a.fleet().rate()).contains(new FleetRateDefinition(200, 20));
    assertThat(a.fleet().concurrency())
        .contains(new FleetConcurrencyDefinition(7, FleetMode.STRICT));
    assertThat(a.handlers().get("t").destination()).contains("smtp");
    assertThat(a.handlers().get("t").fleet().rate()).contains(new FleetRateDefinition(5, 1));
    assertThat(config.fleet().lease()).isEqualTo(Duration.ofSeconds(3));
    assertThat(config.fleet().grantsPartitions()).isEqualTo(2);
    assertThat(config.fleet().reportsTopic()).isEqualTo("sluice.reports");
  }

  @Test
  void whatContradictsItselfInTheFleetIsRefusedWithItsPlace() {
    assertThatThrownBy(() -> parse("queues: {a: {targetDelay: 2s}}"))
        .hasMessageContaining("queues.a")
        .hasMessageContaining("capacity");
    assertThatThrownBy(() -> parse("queues: {a: {fleetRate: {burst: 3}}}"))
        .hasMessageContaining("queues.a.fleetRate.rate is missing");
    assertThatThrownBy(() -> parse("queues: {a: {handlers: {t: {destination: x}}}}"))
        .hasMessageContaining("destination is 'x'");
    assertThatThrownBy(() -> parse("fleet: {reportsTopic: a, grantsTopic: a}"))
        .hasMessageContaining("five topics");
    assertThatThrownBy(() -> parse("queues: {a: {fleetConcurrency: 0}}"))
        .hasMessageContaining("limit is 0");
  }
}
