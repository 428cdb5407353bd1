// SPDX-License-Identifier: Apache-2.0
package dev.sluice.fleet.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.fleet.Claim;
import dev.sluice.fleet.CreditGrant;
import dev.sluice.fleet.CreditReport;
import dev.sluice.fleet.DeclaredQueue;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.Grant;
import dev.sluice.fleet.GrantBatch;
import dev.sluice.fleet.LimitGrant;
import dev.sluice.fleet.LimitKey;
import dev.sluice.fleet.LimitReport;
import dev.sluice.fleet.OperatorSetting;
import dev.sluice.fleet.PartitionReport;
import dev.sluice.fleet.QueueReport;
import dev.sluice.fleet.Report;
import dev.sluice.flow.share.Share;
import dev.sluice.queue.PrioritiesDefinition;
import dev.sluice.testing.Seeds;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ControlCodecTest {
  private static final LimitKey KEY = LimitKey.ofHandler(LimitKey.Kind.CONCURRENCY, "q", "t/x");
  private static final Report REPORT =
      new Report(
          "w1",
          "i1",
          Report.Kind.WORKER,
          7,
          "topic",
          3,
          2,
          9,
          123,
          false,
          List.of(new LimitReport(KEY, new Share(0, 20), 5, 4, new Share(0, 3), true, 99)),
          List.of(new CreditReport("q", 10, 5, 1, 7, 2, 1, 1_000, 60)),
          List.of(
              new QueueReport(
                  "q",
                  "topic.q",
                  "g",
                  List.of(new PartitionReport(3, 100, 5, 2, 1, Map.of("LANE_FULL", 12L))))));
  private static final GrantBatch BATCH =
      new GrantBatch(
          new Epoch("topic", 4, 17, "i2"),
          55,
          5_000_000_000L,
          250_000_000L,
          true,
          List.of(
              new Grant(
                  "i1",
                  8,
                  7,
                  List.of(new LimitGrant(KEY, new Share(0, 4), 0, 1, 2, 3)),
                  List.of(new CreditGrant("q", 30, 6, 5, true, 3, 1_500)))));

  @Test
  void whatIsWrittenIsRead() {
    assertThat(ControlCodec.read(ControlCodec.write(REPORT)))
        .isEqualTo(new ControlRecord.OfReport(REPORT));
    assertThat(ControlCodec.read(ControlCodec.write(BATCH)))
        .isEqualTo(new ControlRecord.OfGrants(BATCH));
    Claim claim = new Claim(3, "i", "n");
    assertThat(ControlCodec.read(ControlCodec.write(claim)))
        .isEqualTo(new ControlRecord.OfClaim(claim));
    DeclaredQueue queue =
        new DeclaredQueue(
            "q", "t", "g", 5, 6, new PrioritiesDefinition(List.of(1, 3, 9), 0.1), 2, "w", 7);
    assertThat(ControlCodec.read(ControlCodec.write(queue)))
        .isEqualTo(new ControlRecord.OfDeclared(queue));
    OperatorSetting setting =
        new OperatorSetting("q", OperatorSetting.What.FLEET_RATE, 1, 2, "me", 3, 4);
    assertThat(ControlCodec.read(ControlCodec.write(setting)))
        .isEqualTo(new ControlRecord.OfOperator(setting));
  }

  @Test
  void otherVersionsAndImpossibleValuesAreNotBelieved() {
    assertUnreadable(
        "{\"v\":2,\"t\":\"claim\",\"counter\":1,\"incarnation\":\"i\",\"name\":\"n\"}");
    assertUnreadable(
        "{\"v\":1,\"t\":\"claim\",\"counter\":0,\"incarnation\":\"i\",\"name\":\"n\"}");
    assertUnreadable(
        "{\"v\":1,\"t\":\"claim\",\"counter\":1.5,\"incarnation\":\"i\",\"name\":\"n\"}");
    assertUnreadable("{\"v\":1,\"t\":\"what\"}");
    assertUnreadable("[]");
    assertUnreadable("");
    String endless =
        new String(ControlCodec.write(BATCH), UTF_8)
            .replace("\"lease\":5000000000", "\"lease\":999999999999999");
    assertUnreadable(endless);
    assertUnreadable("x".repeat(ControlCodec.BYTES_MAX + 1));
  }

  private static void assertUnreadable(String text) {
    assertThat(ControlCodec.read(text.getBytes(UTF_8)))
        .as(text.substring(0, Math.min(80, text.length())))
        .isInstanceOf(ControlRecord.Unreadable.class);
  }

  @Test
  void damagedRecordsNeverThrow() {
    Seeds.each(
        500,
        random -> {
          byte[] bytes =
              random.nextBoolean() ? ControlCodec.write(REPORT) : ControlCodec.write(BATCH);
          for (int i = 0; i < 1 + random.nextInt(5); i++) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
          }
          assertThat(ControlCodec.read(bytes)).isNotNull();
        });
  }
}
