// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.source;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sluice.SluiceException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Checks that bytes are one JSON value, and finds a field in it. Stateless; it builds no tree. */
public final class JsonText {
  private static final JsonFactory FACTORY = new JsonFactory();

  private JsonText() {}

  /** Bytes that are not the JSON that was wanted. */
  public static final class NotJsonException extends SluiceException {
    private static final long serialVersionUID = 1L;

    NotJsonException(String message) {
      super(message);
    }
  }

  /**
   * Checks the bytes from first to last.
   *
   * @param keyField a path with dots to a text, number or boolean; null for none
   * @return the value of that field, or null where none was asked for
   * @throws NotJsonException if the bytes are not one JSON value, or the field is not in it
   */
  public static @Nullable String check(byte[] json, @Nullable String keyField) {
    try (JsonParser parser = FACTORY.createParser(json)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw new NotJsonException("not JSON: it is empty");
      }
      String key = null;
      if (keyField == null) {
        JsonParser ignored = parser.skipChildren();
      } else {
        key = find(parser, keyField.split("\\.", -1), 0);
        if (key == null) {
          throw new NotJsonException(
              "it has no field " + keyField + " with a text, a number or a boolean as key");
        }
      }
      if (parser.nextToken() != null) {
        throw new NotJsonException("not JSON: something follows the first value");
      }
      return key;
    } catch (JacksonException e) {
      JsonLocation place = e.getLocation();
      throw new NotJsonException(
          "not JSON: "
              + e.getOriginalMessage()
              + (place == null ? "" : " (at byte " + Math.max(0, place.getByteOffset()) + ")"));
    } catch (IOException e) {
      throw new NotJsonException("not JSON: " + e.getMessage());
    }
  }

  /** Reads the value at the parser to its end; the text of the wanted field, else null. */
  private static @Nullable String find(JsonParser parser, String[] path, int depth)
      throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      JsonParser ignored = parser.skipChildren();
      return null;
    }
    String found = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      boolean wanted = found == null && parser.currentName().equals(path[depth]);
      JsonToken value = parser.nextToken();
      if (wanted && depth == path.length - 1 && value.isScalarValue()) {
        found = value == JsonToken.VALUE_NULL ? null : parser.getText();
      } else if (wanted && depth < path.length - 1) {
        found = find(parser, path, depth + 1);
      } else {
        JsonParser ignored = parser.skipChildren();
      }
    }
    return found;
  }
}
