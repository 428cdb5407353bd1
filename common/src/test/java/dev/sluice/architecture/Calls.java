// SPDX-License-Identifier: Apache-2.0
package dev.sluice.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** What code calls, by a call or by a method reference. */
final class Calls {
  private static final String CONSTRUCTOR = "<init>";
  private static final String CONCURRENT = "java.util.concurrent.";
  private static final Set<String> SEEDLESS =
      Set.of(
          "java.util.Random",
          "java.util.SplittableRandom",
          "java.security.SecureRandom",
          CONCURRENT + "ThreadLocalRandom");

  static final DescribedPredicate<JavaAccess<?>> UNBOUNDED_QUEUE =
      access(
          "it makes a queue without a bound",
          a ->
              name(a).equals(CONSTRUCTOR)
                  && (owner(a).startsWith(CONCURRENT + "ConcurrentLinked")
                      || owner(a).equals(CONCURRENT + "PriorityBlockingQueue")
                      || owner(a).equals(CONCURRENT + "DelayQueue")
                      || owner(a).equals(CONCURRENT + "LinkedTransferQueue")
                      || owner(a).startsWith(CONCURRENT + "LinkedBlocking")
                          && !parameters(a).equals(List.of("int"))));

  static final DescribedPredicate<JavaAccess<?>> UNBOUNDED_EXECUTOR =
      access(
          "it makes an executor with a queue or threads without a bound",
          a -> owner(a).equals(CONCURRENT + "Executors") && name(a).startsWith("new"));

  static final DescribedPredicate<JavaAccess<?>> ASYNC_ON_THE_SHARED_POOL =
      access(
          "it uses the pool that everybody shares",
          a ->
              owner(a).startsWith(CONCURRENT + "Complet")
                  && name(a).endsWith("Async")
                  && !parameters(a).contains(CONCURRENT + "Executor"));

  static final DescribedPredicate<JavaAccess<?>> READS_THE_CLOCK =
      access(
          "it reads a clock",
          a ->
              owner(a).equals("java.lang.System")
                      && (name(a).equals("nanoTime") || name(a).equals("currentTimeMillis"))
                  || owner(a).startsWith("java.time.")
                      && name(a).equals("now")
                      && !parameters(a).contains("java.time.Clock")
                  || owner(a).equals("java.time.Clock")
                      && (name(a).startsWith("system") || name(a).startsWith("tick"))
                  || owner(a).equals("java.util.Date")
                      && name(a).equals(CONSTRUCTOR)
                      && parameters(a).isEmpty());

  static final DescribedPredicate<JavaAccess<?>> DRAWS_A_SEED =
      access(
          "it draws random numbers that no seed repeats",
          a ->
              owner(a).equals("java.lang.Math") && name(a).equals("random")
                  || owner(a).equals("java.util.UUID") && name(a).equals("randomUUID")
                  || owner(a).equals(CONCURRENT + "ThreadLocalRandom") && name(a).equals("current")
                  || owner(a).startsWith("java.util.random.RandomGenerator")
                      && (name(a).equals("getDefault") || name(a).equals("of"))
                  || SEEDLESS.contains(owner(a))
                      && name(a).equals(CONSTRUCTOR)
                      && parameters(a).isEmpty());

  static final DescribedPredicate<JavaAccess<?>> MAKES_A_THREAD =
      access(
          "it makes a thread or an executor",
          a ->
              name(a).equals(CONSTRUCTOR)
                      && (a.getTargetOwner().isAssignableTo(Thread.class)
                          || a.getTargetOwner().isAssignableTo("java.util.concurrent.Executor")
                          || owner(a).equals("java.util.Timer"))
                  || owner(a).equals("java.lang.Thread")
                      && (name(a).equals("ofVirtual")
                          || name(a).equals("ofPlatform")
                          || name(a).equals("startVirtualThread")));

  static final DescribedPredicate<JavaAccess<?>> ENDS_THE_PROCESS_OR_PRINTS =
      access(
          "it ends the process or prints",
          a ->
              owner(a).equals("java.lang.System") && Set.of("exit", "out", "err").contains(name(a))
                  || owner(a).equals("java.lang.Runtime")
                      && (name(a).equals("halt") || name(a).equals("exit"))
                  || name(a).equals("printStackTrace") && parameters(a).isEmpty());

  static final DescribedPredicate<JavaAccess<?>> BLOCKS_IN_RESILIENCE4J =
      access(
          "it may wait",
          a ->
              owner(a).startsWith("io.github.resilience4j.")
                  && (name(a).equals("changeConfig")
                      || name(a).equals("waitForPermission")
                      || name(a).equals("changeTimeoutDuration")
                      || name(a).equals("acquirePermission")
                          && !owner(a).startsWith("io.github.resilience4j.circuitbreaker.")
                          // Made with a time-out of zero there, which never parks.
                          && !a.getOriginOwner()
                              .getName()
                              .equals("dev.sluice.worker.limit.RateLimiterLimit")));

  private Calls() {}

  /** A call of a method with that name, whatever its parameters. */
  static DescribedPredicate<JavaAccess<?>> anyOf(String owner, String name) {
    return access(
        "it calls " + owner + "." + name, a -> owner(a).equals(owner) && name(a).equals(name));
  }

  private static DescribedPredicate<JavaAccess<?>> access(
      String description, Predicate<JavaAccess<?>> holds) {
    return describe(description, holds);
  }

  private static String owner(JavaAccess<?> access) {
    return access.getTargetOwner().getName();
  }

  private static String name(JavaAccess<?> access) {
    return access.getTarget().getName();
  }

  private static List<String> parameters(JavaAccess<?> access) {
    return access.getTarget() instanceof CodeUnitAccessTarget target
        ? target.getRawParameterTypes().stream().map(JavaClass::getName).toList()
        : List.of();
  }
}
