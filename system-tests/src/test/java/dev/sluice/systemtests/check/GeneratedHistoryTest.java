// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.Order;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Generated histories are valid; each kind of damage done to one is found. */
class GeneratedHistoryTest {
  private static final int HISTORIES = Integer.getInteger("sluice.histories", 60);
  private static final long SEED = Long.getLong("sluice.seed", 20261120L);

  private static final int WINDOW_LINES = SimulatedFleet.COMMIT_STEPS * 2;

  private static final int IN_FLIGHT_MAX = 12;

  private static final Duration WINDOW = Transcript.STEP.multipliedBy(WINDOW_LINES);

  @TempDir Path folder;

  /** What is done to a valid history; empty where this one offers no place for it. */
  enum Damage {
    NONE(null) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        return lines;
      }
    },
    TERMINAL_RECORDS_OF_A_TASK_DROPPED(Rule.LOST) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        String task = task(pick(lines, random, "accepted", 0));
        return lines.stream()
            .filter(line -> !(task.equals(task(line)) && isTerminal(line)))
            .toList();
      }
    },
    A_STARTED_TASK_WAS_REJECTED(Rule.REJECTED_BUT_STARTED) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        String task = task(pick(lines, random, "start", 0));
        return lines.stream()
            .map(line -> line.equals("p accepted " + task) ? "p rejected " + task : line)
            .toList();
      }
    },
    A_START_DROPPED(Rule.ENDED_WITHOUT_START) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        String done = pick(lines, random, "done", 0);
        List<String> damaged = new ArrayList<>(lines);
        damaged.remove(
            lines.subList(0, lines.indexOf(done)).lastIndexOf(done.replace(" done ", " start ")));
        return damaged;
      }
    },
    A_COMPLETED_TASK_RUN_AGAIN(Rule.UNEXPLAINED_DUPLICATES) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        List<String> damaged = new ArrayList<>(lines);
        // By a worker that was never killed: a kill would explain it.
        String done = pick(lines, random, "done", lines.size() - 10);
        if (lines.contains(word(done, 0) + " kill")) {
          return List.of();
        }
        damaged.add(done.replace(" done ", " start "));
        damaged.add(done);
        return damaged;
      }
    },
    EVERYTHING_OF_A_KILLED_WORKER_RUN_AGAIN(Rule.DUPLICATES_OVER_BOUND) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        List<String> kills = lines.stream().filter(l -> word(l, 1).equals("kill")).toList();
        if (kills.isEmpty()) {
          return List.of();
        }
        String killed = word(kills.get(random.nextInt(kills.size())), 0);
        List<String> damaged = new ArrayList<>(lines);
        Set<String> last = new HashSet<>();
        for (int i = lines.size() - 1; i >= 0; i--) {
          String line = lines.get(i);
          if (isTerminal(line) && last.add(task(line)) && killed.equals(word(line, 0))) {
            damaged.add("w9 start " + task(line));
            damaged.add("w9 done " + task(line));
          }
        }
        boolean enough = (damaged.size() - lines.size()) / 2 > WINDOW_LINES + IN_FLIGHT_MAX;
        return enough ? damaged : List.of();
      }
    },
    TWO_TASKS_OF_A_KEY_SWAPPED(Rule.SWAP) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        String first = task(pick(lines, random, "accepted", 0));
        String second = nextOfKey(lines, first);
        if (second == null) {
          return List.of();
        }
        return lines.stream()
            .map(
                line ->
                    line.startsWith("p ") || line.endsWith(" kill")
                        ? line
                        : swap(line, first, second))
            .toList();
      }

      private String swap(String line, String first, String second) {
        String task = task(line);
        return task.equals(first)
            ? line.replace(first, second)
            : task.equals(second) ? line.replace(second, first) : line;
      }
    },
    A_RUN_PROLONGED_BEYOND_THE_NEXT_OF_ITS_KEY(Rule.OVERLAP) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        String done = pick(lines, random, "done", 0);
        String second = nextOfKey(lines, task(done));
        int at = lines.lastIndexOf(done);
        for (int i = at; second != null && i < lines.size(); i++) {
          if (word(lines.get(i), 1).equals("start") && task(lines.get(i)).equals(second)) {
            List<String> damaged = new ArrayList<>(lines);
            damaged.remove(at);
            damaged.add(i, done);
            return lines.subList(at, i).contains(word(done, 0) + " kill") ? List.of() : damaged;
          }
        }
        return List.of();
      }
    },
    A_RETRY_OVERTAKEN(Rule.SWAP) {
      @Override
      List<String> to(List<String> lines, SplittableRandom random) {
        String accepted = pick(lines, random, "accepted", 0);
        String second = nextOfKey(lines, task(accepted));
        int at = -1;
        for (int i = 0; i < lines.size() && at < 0; i++) {
          at = lines.get(i).contains(" start " + task(accepted)) ? i : at;
        }
        if (second == null || at < 0) {
          return List.of();
        }
        List<String> damaged = new ArrayList<>(lines);
        String worker = word(lines.get(at), 0);
        damaged.addAll(
            at,
            List.of(
                worker + " start " + task(accepted),
                worker + " failed " + task(accepted) + " Oops",
                worker + " start " + second,
                worker + " failed " + second + " Oops"));
        return damaged;
      }
    };

    private final Rule rule;

    Damage(Rule rule) {
      this.rule = rule;
    }

    abstract List<String> to(List<String> lines, SplittableRandom random);

    static String word(String line, int index) {
      return line.split(" ")[index];
    }

    static boolean isTerminal(String line) {
      return Set.of("done", "dead", "expired", "cancelled").contains(word(line, 1));
    }

    /** Partition, offset and key. */
    static String task(String line) {
      String[] words = line.split(" ");
      return words.length < 4 ? "" : words[2] + " " + words[3];
    }

    static String pick(List<String> lines, SplittableRandom random, String event, int from) {
      List<String> found =
          lines.subList(Math.max(0, from), lines.size()).stream()
              .filter(line -> word(line, 1).equals(event))
              .toList();
      return found.isEmpty()
          ? pick(lines, random, event, 0)
          : found.get(random.nextInt(found.size()));
    }

    static String nextOfKey(List<String> lines, String task) {
      String partition = task.substring(0, task.indexOf('/') + 1);
      String key = word(task, 1);
      boolean passed = false;
      for (String line : lines) {
        if (line.startsWith("p accepted " + partition) && line.endsWith(" " + key)) {
          if (passed) {
            return task(line);
          }
          passed = task(line).equals(task);
        }
      }
      return null;
    }
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void findsEachKindOfDamageAndNothingInAValidHistory(Damage damage) throws Exception {
    int tried = 0;
    for (long seed = SEED; seed < SEED + HISTORIES; seed++) {
      List<String> lines = damage.to(new SimulatedFleet(seed).run(), new SplittableRandom(seed));
      if (lines.isEmpty()) {
        continue;
      }
      tried++;
      Path files = Files.createDirectory(folder.resolve(damage + "-" + seed));
      Report report = new Transcript(lines).check(files, Order.KEY, WINDOW);
      if (damage.rule == null) {
        assertThat(report.violations()).as("seed %d", seed).isEmpty();
      } else {
        assertThat(report.violations())
            .as("seed %d", seed)
            .anyMatch(text -> text.startsWith(damage.rule + ": "));
      }
    }
    assertThat(tried).as("histories that offered a place for it").isGreaterThan(HISTORIES / 10);
  }
}
