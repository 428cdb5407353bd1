// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TaskDigestTest {
  @Test
  void theDigestIsOfTheWholeId() {
    TaskDigest digest = new TaskDigest();
    digest.of("a".getBytes(UTF_8));
    // SHA-256 of "a", from FIPS 180-4 tools: ca978112ca1bbdca fac231b39a23dc4d ...
    assertThat(digest.high()).isEqualTo(0xca978112ca1bbdcaL);
    assertThat(digest.low()).isEqualTo(0xfac231b39a23dc4dL);
    digest.of("b".getBytes(UTF_8));
    assertThat(digest.high()).isNotEqualTo(0xca978112ca1bbdcaL);
  }
}
