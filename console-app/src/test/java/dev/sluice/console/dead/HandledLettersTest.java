// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console.dead;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class HandledLettersTest {
  private static final long FAR = 3L * HandledLetters.CHUNK + 17;

  private final HandledLetters letters = new HandledLetters("dlq.q", "id-1");

  private HandledLetters readBack(Map<byte[], byte[]> records, String topic, String topicId) {
    HandledLetters read = new HandledLetters(topic, topicId);
    records.forEach(read::read);
    return read;
  }

  @Test
  void whatIsWrittenIsReadBack() {
    letters.add(0, 0);
    letters.add(0, HandledLetters.CHUNK - 1);
    letters.add(2, FAR);
    HandledLetters read = readBack(letters.changes(), "dlq.q", "id-1");
    assertThat(read.contains(0, 0)).isTrue();
    assertThat(read.contains(0, HandledLetters.CHUNK - 1)).isTrue();
    assertThat(read.contains(2, FAR)).isTrue();
    assertThat(read.contains(0, 1)).isFalse();
    assertThat(read.contains(0, HandledLetters.CHUNK)).isFalse();
    assertThat(read.contains(1, 0)).isFalse();
  }

  @Test
  void onlyWhatWasAddedSinceIsWrittenAndWhole() {
    letters.add(0, 1);
    letters.add(1, 1);
    assertThat(letters.changes()).hasSize(2);
    assertThat(letters.changes()).isEmpty();
    letters.add(0, 2);
    Map<byte[], byte[]> second = letters.changes();
    assertThat(second).hasSize(1);
    HandledLetters read = readBack(second, "dlq.q", "id-1");
    assertThat(read.contains(0, 1)).isTrue();
    assertThat(read.contains(0, 2)).isTrue();
  }

  @Test
  void aTopicMadeAnewBeginsWithNone() {
    letters.add(0, 5);
    assertThat(readBack(letters.changes(), "dlq.q", "id-2").contains(0, 5)).isFalse();
  }

  @Test
  void foreignAndDamagedRecordsAreSkipped() {
    letters.read(null, new byte[] {1, 1});
    letters.read("something/else".getBytes(UTF_8), new byte[] {1, 1});
    letters.read("dead/dlq.q/id-1/x/y".getBytes(UTF_8), new byte[] {1, 1});
    letters.read("dead/dlq.q/id-1/0/0".getBytes(UTF_8), new byte[0]);
    letters.read("dead/dlq.q/id-1/0/0".getBytes(UTF_8), new byte[] {99, 1});
    letters.read("dead/dlq.q/id-1/0/0".getBytes(UTF_8), new byte[HandledLetters.CHUNK]);
    assertThat(letters.contains(0, 0)).isFalse();
  }

  @Test
  void whatCoversNothingAnyMoreIsForgotten() {
    letters.add(0, 1);
    letters.add(0, HandledLetters.CHUNK + 1);
    letters.add(1, 1);
    assertThat(letters.outdated(Map.of(0, (long) HandledLetters.CHUNK)))
        .extracting(key -> new String(key, UTF_8))
        .containsExactly("dead/dlq.q/id-1/0/0");
    assertThat(letters.contains(0, 1)).isFalse();
    assertThat(letters.contains(0, HandledLetters.CHUNK + 1)).isTrue();
  }
}
