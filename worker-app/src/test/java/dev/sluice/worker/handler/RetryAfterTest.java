// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          120                           | PT2M
          ' 3 '                         | PT3S
          0                             | PT0.1S
          86400                         | PT1H
          99999999999999999999999999    | PT1H
          Thu, 01 Jan 1970 00:00:30 GMT | PT30S
          Wed, 31 Dec 1969 23:00:00 GMT | PT0.1S
          Fri, 31 Dec 9999 23:59:59 GMT | PT1H
          -5                            | PT1S
          1.5                           | PT1S
          soon                          | PT1S
          ''                            | PT1S
          """)
  void readsSecondsAndDatesAndClampsThem(String header, Duration expected) {
    assertThat(RetryAfter.parse(header, 0)).isEqualTo(expected);
  }

  @Test
  void waitsASecondWhereNothingIsSaid() {
    assertThat(RetryAfter.parse(null, 0)).isEqualTo(Duration.ofSeconds(1));
  }
}
