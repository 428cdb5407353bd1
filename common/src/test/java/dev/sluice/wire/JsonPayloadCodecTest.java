// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.PermanentTaskException;
import org.junit.jupiter.api.Test;

class JsonPayloadCodecTest {
  record Order(int number, String name) {}

  private final JsonPayloadCodec codec = new JsonPayloadCodec();

  @Test
  void recordsSurviveAndUnknownPropertiesAreIgnored() {
    Order order = new Order(7, "\u00e9");
    assertThat(codec.decode(codec.encode(order), Order.class)).isEqualTo(order);
    assertThat(codec.contentType(order)).isEqualTo("application/json");
    assertThat(codec.decode("{\"number\":1,\"new\":[]}".getBytes(UTF_8), Order.class).number())
        .isEqualTo(1);
  }

  @Test
  void bytesPassThroughUntouched() {
    byte[] bytes = {0, -1, 5};
    assertThat(codec.encode(bytes)).isSameAs(bytes);
    assertThat(codec.decode(bytes, byte[].class)).isSameAs(bytes);
    assertThat(codec.contentType(bytes)).isEqualTo("application/octet-stream");
  }

  @Test
  void whatIsNoSuchJsonFailsForGoodAndSaysWhatWasExpected() {
    for (String text :
        new String[] {"", "nonsense", "{\"number\":\"x\"}", "[1", "null", "\u0000"}) {
      assertThatExceptionOfType(PermanentTaskException.class)
          .as(text)
          .isThrownBy(() -> codec.decode(text.getBytes(UTF_8), Order.class))
          .withMessageContaining("Order");
    }
  }

  @Test
  void whatCannotBeWrittenFailsForGood() {
    Object[] loop = new Object[1];
    loop[0] = loop;
    assertThatExceptionOfType(PermanentTaskException.class).isThrownBy(() -> codec.encode(loop));
  }
}
