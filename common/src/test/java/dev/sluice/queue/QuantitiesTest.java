// SPDX-License-Identifier: Apache-2.0
package dev.sluice.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.ConfigException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class QuantitiesTest {
  @Test
  void readsDurations() {
    assertThat(Quantities.duration("500ms")).isEqualTo(Duration.ofMillis(500));
    assertThat(Quantities.duration(" 10 S ")).isEqualTo(Duration.ofSeconds(10));
    assertThat(Quantities.duration("5m")).isEqualTo(Duration.ofMinutes(5));
    assertThat(Quantities.duration("1h")).isEqualTo(Duration.ofHours(1));
    assertThat(Quantities.duration("1d")).isEqualTo(Duration.ofDays(1));
    assertThat(Quantities.duration("PT1.5S")).isEqualTo(Duration.ofMillis(1_500));
  }

  @Test
  void refusesWhatIsNoDuration() {
    for (String text :
        new String[] {"", "10", "ten", "10 parsecs", "-5s", "1.5s", "999999999999999d", "s"}) {
      assertThatExceptionOfType(ConfigException.class)
          .as(text)
          .isThrownBy(() -> Quantities.duration(text))
          .withMessageContaining("'" + text + "'")
          .withMessageContaining("500ms");
    }
  }

  @Test
  void readsBytes() {
    assertThat(Quantities.bytes("1048576")).isEqualTo(1 << 20);
    assertThat(Quantities.bytes("64KiB")).isEqualTo(64 << 10);
    assertThat(Quantities.bytes("64 mib")).isEqualTo(64 << 20);
    assertThat(Quantities.bytes("1GiB")).isEqualTo(1 << 30);
    assertThat(Quantities.bytes("64MB")).isEqualTo(64_000_000);
  }

  @Test
  void refusesWhatIsNoNumberOfBytes() {
    for (String text : new String[] {"", "-1", "1.5MiB", "1PiB", "999999999999999GiB", "0x10"}) {
      assertThatExceptionOfType(ConfigException.class)
          .as(text)
          .isThrownBy(() -> Quantities.bytes(text))
          .withMessageContaining("'" + text + "'");
    }
  }
}
