// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.jspecify.annotations.Nullable;

/**
 * RFC 4180, in UTF-8. The first record has the names of the columns; each other one is a task whose
 * payload is a JSON object of texts. Broken quoting or encoding, or a record that is too long, ends
 * the source with a bad line: where the next record begins is then not known.
 */
final class CsvSource implements TaskSource {
  private static final JsonFactory JSON = new JsonFactory();

  /** The parser reads ahead by its buffer. */
  private static final int READ_AHEAD_CHARS = 1 << 14;

  private final TaskShape shape;
  private final BoundedReader reader;
  private final CSVParser parser;
  private final Iterator<CSVRecord> records;
  private @Nullable List<String> names;
  private int keyColumn = -1;
  private boolean ended;

  CsvSource(InputStream in, TaskShape shape) {
    this.shape = shape;
    this.reader =
        new BoundedReader(
            new InputStreamReader(
                new BufferedInputStream(in),
                UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)),
            (long) shape.lineBytesMax() + READ_AHEAD_CHARS);
    try {
      this.parser = CSVFormat.RFC4180.builder().setIgnoreEmptyLines(true).get().parse(reader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.records = parser.iterator();
  }

  @Override
  public @Nullable SourceLine next() throws IOException {
    if (ended) {
      return null;
    }
    if (names == null) {
      SourceLine.Bad bad = readNames();
      if (bad != null || ended) {
        ended = true;
        return bad;
      }
    }
    long number = parser.getCurrentLineNumber() + 1;
    try {
      CSVRecord record = record();
      return record == null ? null : line(number, record);
    } catch (UncheckedIOException e) {
      return broken(number, e);
    } catch (BoundedReader.TooLongException e) {
      return tooLong(number);
    }
  }

  private @Nullable CSVRecord record() {
    reader.next();
    if (!records.hasNext()) {
      ended = true;
      return null;
    }
    return records.next();
  }

  private SourceLine.@Nullable Bad readNames() throws IOException {
    CSVRecord record;
    try {
      record = record();
    } catch (UncheckedIOException e) {
      return broken(1, e);
    } catch (BoundedReader.TooLongException e) {
      return tooLong(1);
    }
    if (record == null) {
      return null;
    }
    List<String> found = record.toList();
    if (found.get(0).startsWith("\ufeff")) {
      found = new java.util.ArrayList<>(found);
      found.set(0, found.get(0).substring(1));
    }
    Set<String> different = new HashSet<>();
    for (String name : found) {
      if (name.isBlank() || !different.add(name)) {
        return new SourceLine.Bad(
            1, "the name of a column is empty or there twice: '" + name + "'");
      }
    }
    String keyField = shape.keyField();
    if (keyField != null) {
      keyColumn = found.indexOf(keyField);
      if (keyColumn < 0) {
        return new SourceLine.Bad(1, "it has no column " + keyField + " for the key");
      }
    }
    names = List.copyOf(found);
    return null;
  }

  private SourceLine line(long number, CSVRecord record) throws IOException {
    List<String> columns = names;
    if (columns == null || record.size() != columns.size()) {
      return new SourceLine.Bad(
          number,
          "it has "
              + record.size()
              + " columns where the first line has "
              + (columns == null ? 0 : columns.size()));
    }
    String key = keyColumn < 0 ? null : record.get(keyColumn);
    if (key != null && key.isEmpty()) {
      return new SourceLine.Bad(number, "its key column " + shape.keyField() + " is empty");
    }
    byte[] payload = json(columns, record);
    if (payload.length > shape.lineBytesMax()) {
      return new SourceLine.Bad(number, "longer than " + shape.lineBytesMax() + " bytes");
    }
    return new SourceLine.Good(number, shape.task(payload, "application/json", key));
  }

  private static byte[] json(List<String> columns, CSVRecord record) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      for (int i = 0; i < columns.size(); i++) {
        json.writeStringField(columns.get(i), record.get(i));
      }
      json.writeEndObject();
    }
    return out.toByteArray();
  }

  private SourceLine.Bad tooLong(long number) {
    ended = true;
    return new SourceLine.Bad(
        number, "longer than " + shape.lineBytesMax() + " bytes; reading stops here");
  }

  private SourceLine.Bad broken(long number, UncheckedIOException e) throws IOException {
    ended = true;
    IOException cause = e.getCause();
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (t instanceof CharacterCodingException) {
        return new SourceLine.Bad(number, "not UTF-8; reading stops here");
      }
    }
    if (cause instanceof org.apache.commons.csv.CSVException) {
      return new SourceLine.Bad(number, cause.getMessage() + "; reading stops here");
    }
    throw cause;
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
