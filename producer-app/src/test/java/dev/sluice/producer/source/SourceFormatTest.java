// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceFormatTest {
  @Test
  void aJsonLineIsTakenAsItIs() throws IOException {
    assertThat(read(SourceFormat.JSONL, null, 100, "{\"n\": 1}\r\n\n  \n[1,2]\n\"x\""))
        .containsExactly("1 {\"n\": 1} null", "4 [1,2] null", "5 \"x\" null");
  }

  @Test
  void aLineThatIsNotJsonIsBadAndTheNextIsGood() throws IOException {
    List<String> lines =
        read(
            SourceFormat.JSONL, null, 100, "{\"n\":\nnull x\n{\"a\":1}{\"a\":2}\nNaN\n{\"n\":2}\n");
    assertThat(lines).hasSize(5);
    assertThat(lines.subList(0, 4)).allMatch(line -> line.contains("BAD not JSON"));
    assertThat(lines.get(2)).contains("something follows");
    assertThat(lines.get(4)).isEqualTo("5 {\"n\":2} null");
  }

  @Test
  void theKeyIsTakenFromAPathAndItsAbsenceIsBad() throws IOException {
    assertThat(
            read(
                SourceFormat.JSONL,
                "user.id",
                100,
                "{\"user\":{\"x\":[{}],\"id\":42}}\n{\"user\":{\"id\":\"a\"},\"id\":9}\n"
                    + "{\"user\":7}\n{\"user\":{\"id\":null}}\n{\"user\":{\"id\":{}}}\n[1]\n"))
        .satisfies(
            lines -> {
              assertThat(lines.get(0)).endsWith(" 42");
              assertThat(lines.get(1)).endsWith(" a");
              assertThat(lines.subList(2, 6))
                  .allMatch(line -> line.contains("BAD it has no field user.id"));
            });
  }

  @Test
  void aLineThatIsTooLongIsBadAndTheNextIsGood() throws IOException {
    String longest = "\"" + "x".repeat(98) + "\"";
    assertThat(read(SourceFormat.JSONL, null, 100, longest + "\r\n" + longest + " \n1\n"))
        .containsExactly("1 " + longest + " null", "2 BAD longer than 100 bytes", "3 1 null");
  }

  @Test
  void aLineOfManyBuffersIsReadOrSkipped() throws IOException {
    String big = "\"" + "y".repeat(300_000) + "\"";
    assertThat(read(SourceFormat.JSONL, null, 1 << 20, big + "\n1"))
        .containsExactly("1 " + big + " null", "2 1 null");
    assertThat(read(SourceFormat.JSONL, null, 1_000, big + "\n1"))
        .containsExactly("1 BAD longer than 1000 bytes", "2 1 null");
  }

  @Test
  void plainLinesTakeAnythingAndHaveNoFields() throws IOException {
    assertThat(read(SourceFormat.LINES, null, 100, "\ufeffa b\n\n{x\n"))
        .containsExactly("1 a b null", "2  null", "3 {x null");
    assertThatThrownBy(() -> read(SourceFormat.LINES, "id", 100, ""))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("--key-field id");
  }

  @Test
  void aCsvRecordIsAJsonObjectAndKeepsItsFirstLineNumber() throws IOException {
    assertThat(
            read(
                SourceFormat.CSV,
                "id",
                1_000,
                "\ufeffid,text\r\n7,\"two\nlines\"\r\n8,\"say \"\"hi\"\"\"\r\n9\r\n,x\r\n10,z\r\n"))
        .containsExactly(
            "2 {\"id\":\"7\",\"text\":\"two\\nlines\"} 7",
            "4 {\"id\":\"8\",\"text\":\"say \\\"hi\\\"\"} 8",
            "5 BAD it has 1 columns where the first line has 2",
            "6 BAD its key column id is empty",
            "7 {\"id\":\"10\",\"text\":\"z\"} 10");
  }

  @Test
  void csvSaysWhatIsWrongWithItsFirstLine() throws IOException {
    assertThat(read(SourceFormat.CSV, "id", 100, "a,b\n1,2\n"))
        .containsExactly("1 BAD it has no column id for the key");
    assertThat(read(SourceFormat.CSV, null, 100, "a,a\n1,2\n"))
        .containsExactly("1 BAD the name of a column is empty or there twice: 'a'");
    assertThat(read(SourceFormat.CSV, null, 100, "")).isEmpty();
  }

  @Test
  void csvThatCannotBeReadFurtherEndsWithABadLine() throws IOException {
    assertThat(read(SourceFormat.CSV, null, 100, "a,b\n1,2\n3,\"" + "z".repeat(50_000)))
        .hasSize(2)
        .last()
        .asString()
        .contains("3 BAD longer than 100 bytes; reading stops here");
    assertThat(read(SourceFormat.CSV, null, 100, "a,b\n1,\"2\"x\n3,4\n").get(0))
        .contains("2 BAD")
        .contains("reading stops here");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void linesAreTheSameHoweverTheStreamIsCut(long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    StringBuilder text = new StringBuilder();
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      String line = "x".repeat(random.nextInt(400));
      expected.add(line.length() > 300 ? "too long" : line);
      text.append(line).append(random.nextBoolean() ? "\n" : "\r\n");
    }
    InputStream whole = new ByteArrayInputStream(text.toString().getBytes(UTF_8));
    InputStream cut =
        new InputStream() {
          @Override
          public int read() throws IOException {
            return whole.read();
          }

          @Override
          public int read(byte[] bytes, int offset, int length) throws IOException {
            return whole.read(bytes, offset, Math.min(length, 1 + random.nextInt(37)));
          }
        };
    List<String> lines = new ArrayList<>();
    try (LineReader reader = new LineReader(cut, 300)) {
      for (byte[] line = reader.next(); line != null; line = reader.next()) {
        lines.add(reader.tooLong() ? "too long" : new String(line, UTF_8));
      }
    }
    assertThat(lines).as("seed %d", seed).isEqualTo(expected);
  }

  private static List<String> read(SourceFormat format, String keyField, int max, String text)
      throws IOException {
    List<String> lines = new ArrayList<>();
    try (TaskSource source =
        format.open(
            new ByteArrayInputStream(text.getBytes(UTF_8)),
            new TaskShape("q", "t", keyField, max))) {
      for (SourceLine line = source.next(); line != null; line = source.next()) {
        if (line instanceof SourceLine.Good good) {
          lines.add(
              good.number()
                  + " "
                  + new String(good.task().payload(), UTF_8)
                  + " "
                  + good.task().keyAsString());
        } else if (line instanceof SourceLine.Bad bad) {
          lines.add(bad.number() + " BAD " + bad.reason());
        }
      }
    }
    return lines;
  }
}
