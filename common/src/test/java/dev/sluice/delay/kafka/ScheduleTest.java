// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.Cancellation;
import dev.sluice.ConfigException;
import dev.sluice.flow.delay.ShardWatch.Beat;
import dev.sluice.flow.schedule.Missed;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleTest {
  @Test
  void firesAtTheTimesOfItsZone() {
    CronRecurrence daily = CronRecurrence.of("30 8 * * *", "Europe/Berlin");
    assertThat(next(daily, "2026-07-01T00:00:00Z")).isEqualTo("2026-07-01T06:30:00Z");
    assertThat(next(daily, "2026-12-01T00:00:00Z")).isEqualTo("2026-12-01T07:30:00Z");
    assertThat(next(daily, "2026-12-01T07:30:00Z")).isEqualTo("2026-12-02T07:30:00Z");
    CronRecurrence seconds = CronRecurrence.of("*/20 * * * * *", "UTC");
    assertThat(next(seconds, "2026-12-01T07:30:00.001Z")).isEqualTo("2026-12-01T07:30:20Z");
    long at = Instant.parse("2026-12-01T07:30:20Z").toEpochMilli();
    assertThat(seconds.upTo(at)).isEqualTo(at);
    assertThat(seconds.upTo(at - 1)).isEqualTo(at - 20_000);
  }

  /** In the night in which clocks change, a time of day comes once at most. */
  @Test
  void comesOnceInTheNightsInWhichClocksChange() {
    CronRecurrence twoThirty = CronRecurrence.of("30 2 * * *", "Europe/Berlin");
    for (String day : List.of("2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z")) {
      List<Long> times = new ArrayList<>();
      long at = Instant.parse(day).toEpochMilli();
      for (int i = 0; i < 3; i++) {
        at = twoThirty.after(at);
        times.add(at);
      }
      assertThat(times.get(2) - times.get(0)).isBetween(46 * 3_600_000L, 73 * 3_600_000L);
      assertThat(times).doesNotHaveDuplicates().isSorted();
    }
  }

  private static String next(CronRecurrence times, String after) {
    return Instant.ofEpochMilli(times.after(Instant.parse(after).toEpochMilli())).toString();
  }

  @Test
  void saysWhatIsWrong() {
    assertThatThrownBy(() -> CronRecurrence.of("61 * * * *", "UTC"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("61");
    assertThatThrownBy(() -> CronRecurrence.of("* * * * *", "Berlin"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("Europe/Berlin");
    assertThatThrownBy(() -> schedule("a name", "* * * * *")).isInstanceOf(ConfigException.class);
  }

  @Test
  void comesBackFromItsRecordAsItWas() {
    Schedule schedule = schedule("nightly", "0 3 * * *");
    assertThat(Schedule.read("nightly", schedule.write())).isEqualTo(schedule);
    assertThat(Schedule.definedName(Schedule.definitionKey("a"))).isEqualTo("a");
    assertThat(Schedule.firedName(Schedule.definitionKey("a"))).isNull();
    assertThat(Schedule.firedName(Schedule.firedKey("a"))).isEqualTo("a");
    assertThat(Schedule.readFired(Schedule.writeFired(77))).isEqualTo(77);
    assertThat(Schedule.readFired("{".getBytes(UTF_8))).isEqualTo(Long.MIN_VALUE);
    assertThatThrownBy(() -> Schedule.read("x", "no json".getBytes(UTF_8)))
        .isInstanceOf(ConfigException.class);
    assertThat(schedule.taskId(0)).isEqualTo("nightly@1970-01-01T00:00:00Z");
  }

  @Test
  void wordsOfDelaysComeBackFromTheirRecords() {
    CancelCodec.Cancel wish = new CancelCodec.Cancel(12, null);
    CancelCodec.Cancel answer = new CancelCodec.Cancel(12, Cancellation.TOO_LATE);
    assertThat(CancelCodec.readCancel(CancelCodec.write(wish))).isEqualTo(wish);
    assertThat(CancelCodec.readCancel(CancelCodec.write(answer))).isEqualTo(answer);
    assertThat(CancelCodec.readCancel("{\"due\":1,\"outcome\":\"maybe\"}".getBytes(UTF_8)))
        .isNull();
    assertThat(CancelCodec.readCancel("[]".getBytes(UTF_8))).isNull();
    assertThat(CancelCodec.readCancel(null)).isNull();
    Beat beat = new Beat("w", 7, 60_000_000, List.of(0, 2));
    assertThat(CancelCodec.readBeat(CancelCodec.write(beat))).isEqualTo(beat);
    assertThat(CancelCodec.readBeat("{}".getBytes(UTF_8))).isNull();
  }

  private static Schedule schedule(String name, String cron) {
    return new Schedule(
        name, "mail", "mail", "digest", cron, "Europe/Berlin", Missed.SKIP, "{\"a\":1}", "k", 5);
  }
}
