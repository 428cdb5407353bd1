// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.ConfigException;
import org.junit.jupiter.api.Test;

class CommandWordsTest {
  @Test
  void splitsAtBlanksOutsideQuotes() {
    assertThat(CommandWords.split("  sh -c\t'a b' \"c  d\" e\"f g\"h "))
        .containsExactly("sh", "-c", "a b", "c  d", "ef gh");
  }

  @Test
  void keepsEmptyWordsInQuotes() {
    assertThat(CommandWords.split("printf '' \"\"")).containsExactly("printf", "", "");
  }

  @Test
  void takesTheCharacterAfterABackslashAsItIsExceptInSingleQuotes() {
    assertThat(CommandWords.split("a\\ b \"\\\"\" '\\' \\\\"))
        .containsExactly("a b", "\"", "\\", "\\");
  }

  @Test
  void knowsNoShell() {
    assertThat(CommandWords.split("echo $HOME | cat > x; *"))
        .containsExactly("echo", "$HOME", "|", "cat", ">", "x;", "*");
  }

  @Test
  void refusesAnOpenQuoteAndNothingAtAll() {
    assertThatThrownBy(() -> CommandWords.split("echo \"a"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("echo \"a");
    assertThatThrownBy(() -> CommandWords.split("  ")).isInstanceOf(ConfigException.class);
  }
}
