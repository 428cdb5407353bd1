// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a request is answered with.
 *
 * @param status the HTTP status
 * @param body becomes JSON
 * @param retryAfterSeconds for the header; 0 for none
 */
record Reply(int status, Map<String, Object> body, long retryAfterSeconds) {
  static Reply error(int status, String error) {
    return new Reply(status, Map.of("error", error), status == 503 ? 1 : 0);
  }

  /**
   * What became of the tasks of a request.
   *
   * @param error null where nothing went wrong
   * @param line that it went wrong at, 0 where that is no line
   */
  static Reply outcome(
      int status,
      @Nullable String error,
      long line,
      List<String> accepted,
      List<Map<String, Object>> unknown,
      @Nullable Duration retryAfter) {
    Map<String, Object> body = new LinkedHashMap<>();
    if (error != null) {
      body.put("error", error);
      if (line > 0) {
        body.put("line", line);
      }
    }
    body.put("accepted", accepted.size());
    body.put("ids", accepted);
    if (!unknown.isEmpty()) {
      body.put("unknown", unknown);
    }
    long seconds = retryAfter == null ? 0 : Math.max(1, retryAfter.plusMillis(999).toSeconds());
    return new Reply(status, body, seconds);
  }
}
