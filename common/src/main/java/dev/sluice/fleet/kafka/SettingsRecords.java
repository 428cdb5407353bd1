// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sluice.fleet.FleetSettings;
import dev.sluice.fleet.OperatorSetting.What;
import dev.sluice.fleet.wire.ControlCodec;
import dev.sluice.fleet.wire.ControlRecord;
import org.jspecify.annotations.Nullable;

/**
 * The records of the settings topic: keys {@code declared/QUEUE}, {@code operator/WHAT/QUEUE} and
 * {@code cancel/ID}; a record without a value takes back what its key said.
 */
public final class SettingsRecords {
  private static final String DECLARED = "declared/";
  private static final String OPERATOR = "operator/";

  private static final String CANCEL = "cancel/";

  private SettingsRecords() {}

  /** The key of a wish that a task does not run. */
  public static byte[] cancelKey(String id) {
    return (CANCEL + id).getBytes(UTF_8);
  }

  /** The key of a declaration. */
  public static byte[] declaredKey(String queue) {
    return (DECLARED + queue).getBytes(UTF_8);
  }

  /** The key of a setting of an operator. */
  public static byte[] operatorKey(String queue, What what) {
    return (OPERATOR + what + "/" + queue).getBytes(UTF_8);
  }

  /**
   * The settings after one more record; null if it cannot be read.
   *
   * @param nowMillis the present time
   */
  public static @Nullable FleetSettings apply(
      FleetSettings settings, byte @Nullable [] key, byte @Nullable [] value, long nowMillis) {
    if (key == null) {
      return null;
    }
    if (value == null) {
      return removed(settings, new String(key, UTF_8));
    }
    ControlRecord read = ControlCodec.read(value);
    if (read instanceof ControlRecord.OfDeclared declared) {
      return settings.with(declared.queue());
    }
    if (read instanceof ControlRecord.OfOperator operator) {
      return settings.with(operator.setting());
    }
    if (read instanceof ControlRecord.OfCancel cancel) {
      return settings.with(cancel.wish(), nowMillis);
    }
    return null;
  }

  private static @Nullable FleetSettings removed(FleetSettings settings, String key) {
    if (key.startsWith(DECLARED)) {
      return settings.withoutDeclared(key.substring(DECLARED.length()));
    }
    if (key.startsWith(CANCEL)) {
      return settings.withoutCancel(key.substring(CANCEL.length()));
    }
    int slash = key.indexOf('/', OPERATOR.length());
    if (!key.startsWith(OPERATOR) || slash < 0) {
      return null;
    }
    try {
      What what = What.valueOf(key.substring(OPERATOR.length(), slash));
      return settings.without(key.substring(slash + 1), what);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
