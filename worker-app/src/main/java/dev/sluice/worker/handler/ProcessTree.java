// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker.handler;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A process and all that descends from it. */
final class ProcessTree {
  /** Less than what an interrupted handler has before its thread is given up. */
  private static final int GRACE_MILLIS = 2_000;

  private static final int LOOK_MILLIS = 10;

  /** A process may fork while its tree is being killed; more rounds find what the first missed. */
  private static final int KILL_ROUNDS = 3;

  private ProcessTree() {}

  /**
   * Asks the whole tree to end, and kills what is left of it after two seconds, or as soon as the
   * calling thread is interrupted again. Keeps the interruption of the thread. Processes whose
   * parent has ended before are no longer descendants and are not found.
   */
  static void end(ProcessHandle root) {
    Set<ProcessHandle> tree = new LinkedHashSet<>();
    grow(tree, root);
    tree.forEach(ProcessHandle::destroy);
    boolean interrupted = Thread.interrupted();
    try {
      CountDownLatch never = new CountDownLatch(1);
      for (int waited = 0; waited < GRACE_MILLIS && anyAlive(tree); waited += LOOK_MILLIS) {
        if (never.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          break;
        }
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    for (int round = 0; round < KILL_ROUNDS && anyAlive(tree); round++) {
      for (ProcessHandle process : List.copyOf(tree)) {
        grow(tree, process);
      }
      tree.forEach(ProcessHandle::destroyForcibly);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void grow(Set<ProcessHandle> tree, ProcessHandle process) {
    tree.add(process);
    if (process.isAlive()) {
      try (Stream<ProcessHandle> below = process.descendants()) {
        below.forEach(tree::add);
      }
    }
  }

  private static boolean anyAlive(Set<ProcessHandle> tree) {
    return tree.stream().anyMatch(ProcessHandle::isAlive);
  }
}
