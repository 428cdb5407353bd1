// SPDX-License-Identifier: Apache-2.0
package dev.sluice.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.time.Instant;
import java.util.Date;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules that are broken on purpose: each must notice. */
class SluiceRulesTest {
  private static boolean finds(ArchRule rule, Class<?>... classes) {
    return rule.evaluate(new ClassFileImporter().importClasses(classes)).hasViolation();
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        ReadsNanos.class,
        RefersToNanos.class,
        ReadsNow.class,
        ReadsDate.class,
        Ticks.class
      })
  void clocksAreNoticed(Class<?> broken) {
    assertThat(finds(SluiceRules.Published.timeIsAnArgument, broken)).isTrue();
  }

  @Test
  void aTimeThatIsHandedInIsFine() {
    assertThat(finds(SluiceRules.Published.timeIsAnArgument, TakesAClock.class)).isFalse();
  }

  @Test
  void sleepsAreNoticed() {
    assertThat(finds(SluiceRules.EveryModule.nobodySleeps, Sleeps.class)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(classes = {UnboundedQueue.class, CachedPool.class, SharedPool.class})
  void whatHasNoBoundIsNoticed(Class<?> broken) {
    assertThat(finds(SluiceRules.EveryModule.nothingIsUnbounded, broken)).isTrue();
  }

  @Test
  void whatHasABoundIsFine() {
    assertThat(finds(SluiceRules.EveryModule.nothingIsUnbounded, BoundedQueue.class)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(classes = {DrawsAnId.class, SeedlessRandom.class})
  void randomNumbersWithoutASeedAreNoticed(Class<?> broken) {
    assertThat(finds(SluiceRules.Published.randomnessIsInjected, broken)).isTrue();
  }

  @Test
  void aSeedThatIsHandedInIsFine() {
    assertThat(finds(SluiceRules.Published.randomnessIsInjected, SeededRandom.class)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(classes = {StartsAThread.class, ExtendsThread.class})
  void threadsAreNoticed(Class<?> broken) {
    assertThat(finds(SluiceRules.Published.threadsAreMadeInFewPlaces, broken)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(classes = {Exits.class, Prints.class})
  void endsOfTheProcessAndPrintsAreNoticed(Class<?> broken) {
    assertThat(finds(SluiceRules.Published.onlyCommandsEndTheProcessOrPrint, broken)).isTrue();
  }

  @Test
  void commandsThatAreUsedAreNoticed() {
    assertThat(finds(SluiceRules.Published.commandsAreLeaves, UsesACommand.class)).isTrue();
  }

  @Test
  void exceptionsOfAnotherFamilyAreNoticed() {
    assertThat(finds(SluiceRules.Published.exceptionsSpeakOneLanguage, StrayException.class))
        .isTrue();
  }

  static final class ReadsNanos {
    long now() {
      return System.nanoTime();
    }
  }

  static final class RefersToNanos {
    final LongSupplier clock = System::nanoTime;
  }

  static final class ReadsNow {
    Instant now() {
      return Instant.now();
    }
  }

  static final class ReadsDate {
    Date now() {
      return new Date();
    }
  }

  static final class Ticks {
    Clock clock() {
      return Clock.systemUTC();
    }
  }

  static final class TakesAClock {
    Instant later(Clock clock) {
      return Instant.now(clock);
    }
  }

  static final class Sleeps {
    void wait(int millis) throws InterruptedException {
      java.util.concurrent.TimeUnit.MILLISECONDS.sleep(millis);
    }
  }

  static final class UnboundedQueue {
    final BlockingQueue<String> queue = new LinkedBlockingQueue<>();
  }

  static final class CachedPool {
    final ExecutorService pool = Executors.newCachedThreadPool();
  }

  static final class SharedPool {
    final CompletableFuture<Void> run = CompletableFuture.runAsync(() -> {});
  }

  static final class BoundedQueue {
    final BlockingQueue<String> array = new ArrayBlockingQueue<>(10);
    final BlockingQueue<String> linked = new LinkedBlockingQueue<>(10);
    final CompletableFuture<Void> run = CompletableFuture.runAsync(() -> {}, Runnable::run);
  }

  static final class DrawsAnId {
    final UUID id = UUID.randomUUID();
  }

  static final class SeedlessRandom {
    final Random random = new Random();
  }

  static final class SeededRandom {
    final Random random = new Random(7);
  }

  static final class StartsAThread {
    final Thread thread = new Thread(() -> {});
  }

  static final class ExtendsThread extends Thread {}

  static final class Exits {
    void end() {
      System.exit(1);
    }
  }

  static final class Prints {
    void print() {
      System.out.println();
    }
  }

  static final class UsesACommand {
    int code() throws ReflectiveOperationException {
      return dev.sluice.cli.Commands.exitCode(new IllegalStateException());
    }
  }

  static final class StrayException extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
