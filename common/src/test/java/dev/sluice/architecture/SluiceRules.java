// SPDX-License-Identifier: Apache-2.0
package dev.sluice.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.PriorityBlockingQueue;

/** The rules. Those for one module's packages are named after it. */
public final class SluiceRules {
  private SluiceRules() {}

  public static final ArchRule PACKAGES_ARE_FREE_OF_CYCLES =
      slices().matching("dev.sluice.(**)").should().beFreeOfCycles();

  private static final DescribedPredicate<JavaClass> PURE =
      resideInAnyPackage(
              "java.lang",
              "java.lang.invoke",
              "java.util",
              "java.util.function",
              "java.util.stream",
              "java.util.random",
              "java.util.zip",
              "java.util.concurrent.atomic",
              "java.nio",
              "java.nio.charset",
              "org.jspecify.annotations",
              "dev.sluice.flow..",
              "dev.sluice")
          .or(nameMatching("java\\.time\\.Duration"))
          .or(nameMatching("java\\.lang\\.(annotation|runtime)\\..*"))
          .or(describe("primitives", JavaClass::isPrimitive))
          .or(describe("arrays", JavaClass::isArray));

  /** No threads, no clocks, no I/O, no logging: what decides can be tested with numbers alone. */
  public static final ArchRule FLOW_KNOWS_ONLY_THE_JDK =
      classes()
          .that()
          .resideInAPackage("dev.sluice.flow..")
          .should()
          .onlyDependOnClassesThat(PURE)
          .because("policies take the time and their input as arguments");

  /** The same for the state and the decisions of a worker. */
  public static final ArchRule WORKER_ENGINE_IS_PURE =
      classes()
          .that()
          .resideInAPackage("dev.sluice.worker.engine")
          .should()
          .onlyDependOnClassesThat(PURE.or(resideInAPackage("dev.sluice.worker.engine")))
          .because("the engine is run by a model in virtual time");

  public static final ArchRule TIME_IS_AN_ARGUMENT =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("dev.sluice.time.SystemClock")
          .should()
          .accessTargetWhere(
              access(
                  "reads a clock",
                  (owner, name) ->
                      owner.equals("java.lang.System")
                              && (name.equals("nanoTime") || name.equals("currentTimeMillis"))
                          || owner.startsWith("java.time.") && name.equals("now")
                          || owner.equals("java.time.Clock") && name.startsWith("system")))
          .because("only SystemClock reads the clocks; take a dev.sluice.time.Clock");

  public static final ArchRule NOBODY_SLEEPS =
      noClasses()
          .should()
          .accessTargetWhere(
              access(
                  "sleeps",
                  (owner, name) ->
                      name.equals("sleep")
                          && (owner.equals("java.lang.Thread")
                              || owner.equals("java.util.concurrent.TimeUnit"))))
          .because("wait for the condition itself");

  /** The generators are made where a process is put together, and handed in. */
  public static final ArchRule RANDOMNESS_IS_INJECTED =
      noClasses()
          .that()
          .resideOutsideOfPackage("..cli..")
          .and()
          .haveNameNotMatching("dev\\.sluice\\.[a-z]+\\.[A-Z][A-Za-z]+Builder")
          .should()
          .accessTargetWhere(
              access(
                  "makes randomness of its own",
                  (owner, name) ->
                      owner.equals("java.util.concurrent.ThreadLocalRandom")
                          || owner.equals("java.lang.Math") && name.equals("random")
                          || owner.equals("java.util.UUID") && name.equals("randomUUID")
                          || (owner.equals("java.util.Random")
                                  || owner.equals("java.util.SplittableRandom")
                                  || owner.equals("java.security.SecureRandom"))
                              && name.equals("<init>")))
          .because("behaviour that depends on chance must be repeatable");

  private static final Set<String> NEVER_BOUNDED =
      Set.of(
          PriorityBlockingQueue.class.getName(),
          ConcurrentLinkedQueue.class.getName(),
          ConcurrentLinkedDeque.class.getName(),
          LinkedTransferQueue.class.getName());

  public static final ArchRule NOTHING_IS_UNBOUNDED =
      noClasses()
          .should()
          .accessTargetWhere(
              describe(
                  "makes a queue or a pool without a bound",
                  access -> {
                    AccessTarget target = access.getTarget();
                    String owner = target.getOwner().getName();
                    boolean noCapacity =
                        target instanceof AccessTarget.CodeUnitCallTarget call
                            && call.getRawParameterTypes().isEmpty();
                    return target.getName().equals("<init>")
                            && (NEVER_BOUNDED.contains(owner)
                                || noCapacity
                                    && (owner.equals(LinkedBlockingQueue.class.getName())
                                        || owner.equals(LinkedBlockingDeque.class.getName())))
                        || owner.equals("java.util.concurrent.Executors")
                            && target.getName().startsWith("new");
                  }))
          .because("a queue without a bound is where a process runs out of memory");

  public static final ArchRule COMMANDS_ARE_LEAVES =
      noClasses()
          .that()
          .resideOutsideOfPackage("..cli..")
          .should()
          .dependOnClassesThat(resideInAPackage("dev.sluice..cli.."))
          .orShould()
          .dependOnClassesThat(resideInAnyPackage("picocli..", "ch.qos.logback.."))
          .because("a library user must not inherit a command line");

  /** Two owners of one consumer would undo each other's pauses and commits. */
  public static final ArchRule WORKER_CONSUMER_HAS_ONE_OWNER =
      noClasses()
          .that()
          .haveNameNotMatching("dev\\.sluice\\.worker\\.kafka\\.(PollLoop|Commits)(\\$.*)?")
          .should()
          .accessTargetWhere(
              access(
                  "moves a Kafka consumer",
                  (owner, name) ->
                      owner.startsWith("org.apache.kafka.clients.consumer.")
                          && owner.endsWith("Consumer")
                          && (Set.of("poll", "pause", "resume").contains(name)
                              || name.startsWith("commit"))));

  public static final ArchRule WORKER_RESILIENCE4J_STAYS_IN_ITS_PACKAGE =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.sluice.worker", "dev.sluice.worker.limit")
          .should()
          .dependOnClassesThat(resideInAPackage("io.github.resilience4j.."));

  public static final ArchRule WORKER_NOBODY_WAITS_IN_RESILIENCE4J =
      noClasses()
          .should()
          .accessTargetWhere(
              access(
                  "may wait inside Resilience4j",
                  (owner, name) ->
                      owner.startsWith("io.github.resilience4j.")
                          && (name.equals("waitForPermission")
                              || owner.contains(".bulkhead.") && name.equals("changeConfig"))))
          .because("lowering a bulkhead blocks its caller, and a permit is asked for, not awaited");

  public static final ArchRule EXCEPTIONS_SPEAK_ONE_LANGUAGE =
      classes()
          .that()
          .areAssignableTo(Throwable.class)
          .should()
          .haveSimpleNameEndingWith("Exception")
          .andShould()
          .beAssignableTo("dev.sluice.SluiceException");

  private interface Match {
    boolean test(String owner, String name);
  }

  private static DescribedPredicate<JavaAccess<?>> access(String what, Match match) {
    return describe(
        what,
        access ->
            match.test(access.getTarget().getOwner().getName(), access.getTarget().getName()));
  }
}
