// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import dev.sluice.ConfigException;
import java.util.ArrayList;
import java.util.List;

/** Splits a command line into words, with quotes and backslashes but without a shell. */
final class CommandWords {
  private CommandWords() {}

  static List<String> split(String command) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inWord = false;
    char quote = 0;
    for (int i = 0; i < command.length(); i++) {
      char c = command.charAt(i);
      if (c == '\\' && quote != '\'' && i + 1 < command.length()) {
        word.append(command.charAt(++i));
        inWord = true;
      } else if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else {
          word.append(c);
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
        inWord = true;
      } else if (Character.isWhitespace(c)) {
        if (inWord) {
          words.add(word.toString());
          word.setLength(0);
          inWord = false;
        }
      } else {
        word.append(c);
        inWord = true;
      }
    }
    if (quote != 0) {
      throw new ConfigException(
          "The command <" + command + "> opens a quote " + quote + " and does not close it");
    }
    if (inWord) {
      words.add(word.toString());
    }
    if (words.isEmpty()) {
      throw new ConfigException("The handler names no command; write for example exec:cat");
    }
    return words;
  }
}
