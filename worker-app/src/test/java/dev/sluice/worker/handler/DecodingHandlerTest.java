// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.PermanentTaskException;
import dev.sluice.Task;
import dev.sluice.wire.JsonPayloadCodec;
import dev.sluice.wire.PayloadCodec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecodingHandlerTest {
  private static final Task<byte[]> TASK = Task.of("q", "t", "[1]".getBytes(UTF_8)).id("i");

  private static final class BrokenCodec implements PayloadCodec {
    @Override
    public String contentType(Object payload) {
      return "x/y";
    }

    @Override
    public byte[] encode(Object payload) {
      return new byte[0];
    }

    @Override
    public <T> T decode(byte[] bytes, Class<T> type) {
      throw new IllegalStateException("unknown version 9");
    }
  }

  @Test
  void handsOverTheSameTaskWithItsPayloadDecoded() throws Exception {
    List<Object> seen = new ArrayList<>();

    DecodingHandler.of(
            List.class,
            (task, context) -> {
              seen.add(task.payload());
              seen.add(task.id());
            },
            new JsonPayloadCodec())
        .handle(TASK, FakeContext.FIRST);

    assertThat(seen).containsExactly(List.of(1), "i");
  }

  @Test
  void takesWhateverACodecThrowsForAPermanentFailure() {
    assertThatThrownBy(
            () ->
                DecodingHandler.of(String.class, (task, context) -> {}, new BrokenCodec())
                    .handle(TASK, FakeContext.FIRST))
        .isInstanceOf(PermanentTaskException.class)
        .hasMessageContaining("3 bytes")
        .hasMessageContaining("java.lang.String")
        .hasMessageContaining("unknown version 9");
  }

  @Test
  void passesOnWhatTheHandlerThrows() {
    IOException thrown = new IOException("down");

    assertThatThrownBy(
            () ->
                DecodingHandler.of(
                        byte[].class,
                        (task, context) -> {
                          throw thrown;
                        },
                        new JsonPayloadCodec())
                    .handle(TASK, FakeContext.FIRST))
        .isSameAs(thrown);
  }
}
