// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.sluice.PermanentTaskException;
import java.io.IOException;

/** JSON by Jackson, the default. Byte arrays pass through untouched. */
public final class JsonPayloadCodec implements PayloadCodec {
  private final ObjectMapper mapper;

  /** With the modules that Jackson finds on the class path; unknown properties are ignored. */
  public JsonPayloadCodec() {
    this(
        JsonMapper.builder()
            .findAndAddModules()
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build());
  }

  /** With a mapper of the caller's. */
  public JsonPayloadCodec(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  @Override
  public String contentType(Object payload) {
    return payload instanceof byte[] ? "application/octet-stream" : "application/json";
  }

  @Override
  public byte[] encode(Object payload) {
    if (payload instanceof byte[] bytes) {
      return bytes;
    }
    try {
      return mapper.writeValueAsBytes(payload);
    } catch (JacksonException e) {
      throw new PermanentTaskException(
          "The payload of type "
              + payload.getClass().getName()
              + " cannot be written as JSON: "
              + e.getOriginalMessage(),
          e);
    }
  }

  @Override
  public <T> T decode(byte[] bytes, Class<T> type) {
    if (type == byte[].class) {
      return type.cast(bytes);
    }
    try {
      T value = mapper.readValue(bytes, type);
      if (value == null) {
        throw new PermanentTaskException(
            "The payload is the JSON null, where " + type.getName() + " is expected");
      }
      return value;
    } catch (IOException e) {
      String reason = e instanceof JacksonException j ? j.getOriginalMessage() : e.getMessage();
      throw new PermanentTaskException(
          "The payload of "
              + bytes.length
              + " bytes is not JSON of "
              + type.getName()
              + ": "
              + reason,
          e);
    }
  }
}
