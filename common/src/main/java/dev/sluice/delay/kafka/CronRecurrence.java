// SPDX-License-Identifier: Apache-2.0
package dev.sluice.delay.kafka;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import dev.sluice.ConfigException;
import dev.sluice.flow.schedule.Recurrence;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;

/**
 * The times of a cron expression in a time zone: five fields as Unix has them, or six with the
 * seconds first as Spring has them. Immutable.
 *
 * <p>Where clocks are set forward, a time in the hour that does not exist is left out or moved to
 * the end of the gap, as cron-utils has it; where they are set back, a time comes once.
 */
public final class CronRecurrence implements Recurrence {
  private static final CronParser UNIX =
      new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX));
  private static final CronParser WITH_SECONDS =
      new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.SPRING53));

  private final ExecutionTime times;
  private final ZoneId zone;

  private CronRecurrence(ExecutionTime times, ZoneId zone) {
    this.times = times;
    this.zone = zone;
  }

  /**
   * Reads an expression.
   *
   * @param zone the name of a time zone, as {@code Europe/Berlin}
   * @throws ConfigException if one of the two is not understood
   */
  public static CronRecurrence of(String cron, String zone) {
    String[] fields = cron.trim().split("\\s+");
    try {
      CronParser parser = fields.length == 6 ? WITH_SECONDS : UNIX;
      return new CronRecurrence(
          ExecutionTime.forCron(parser.parse(cron.trim()).validate()), ZoneId.of(zone));
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          "The cron expression '"
              + cron
              + "' is not understood: "
              + e.getMessage()
              + ". It has five fields (minute, hour, day of month, month, day of week), or six with"
              + " the second first.",
          e);
    } catch (DateTimeException e) {
      throw new ConfigException(
          "The time zone '" + zone + "' is not known; name one as Europe/Berlin or UTC.", e);
    }
  }

  @Override
  public long after(long epochMillis) {
    return times.nextExecution(at(epochMillis)).map(CronRecurrence::millis).orElse(Long.MAX_VALUE);
  }

  @Override
  public long upTo(long epochMillis) {
    return times
        .lastExecution(at(epochMillis + 1))
        .map(CronRecurrence::millis)
        .orElse(Long.MIN_VALUE);
  }

  private ZonedDateTime at(long epochMillis) {
    return Instant.ofEpochMilli(epochMillis).atZone(zone);
  }

  private static long millis(ZonedDateTime time) {
    return time.toInstant().toEpochMilli();
  }
}
