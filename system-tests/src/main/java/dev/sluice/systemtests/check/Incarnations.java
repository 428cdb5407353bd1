// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** Which start of a worker wrote a history. */
public final class Incarnations {
  private Incarnations() {}

  /** The incarnation that the first line names; empty without a file or a whole line. */
  public static Optional<String> firstIn(Path history) {
    if (!Files.exists(history)) {
      return Optional.empty();
    }
    AtomicReference<String> first = new AtomicReference<>();
    boolean ignored = HistoryReader.readFirst(history, line -> first.set(line.incarnation()));
    return Optional.ofNullable(first.get());
  }
}
