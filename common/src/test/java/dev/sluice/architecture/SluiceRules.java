// SPDX-License-Identifier: Apache-2.0
package dev.sluice.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.haveSimpleNameEndingWith;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * The layout of Sluice as rules, in groups, because a rule that finds nothing to judge fails. A
 * module's {@code ArchitectureTest} takes those that concern it:
 *
 * <pre>{@code
 * @AnalyzeClasses(packages = "dev.sluice.worker", importOptions = DoNotIncludeTests.class)
 * class ArchitectureTest {
 *   @ArchTest static final ArchTests everywhere = ArchTests.in(SluiceRules.EveryModule.class);
 *   @ArchTest static final ArchTests published = ArchTests.in(SluiceRules.Published.class);
 *   @ArchTest static final ArchTests worker = ArchTests.in(SluiceRules.Worker.class);
 * }
 * }</pre>
 */
public final class SluiceRules {
  private SluiceRules() {}

  /** For every module, those that serve tests and demos too. */
  public static final class EveryModule {
    private EveryModule() {}

    @ArchTest
    public static final ArchRule packagesAreFreeOfCycles =
        slices()
            .assignedFrom(Layout.EACH_PACKAGE)
            .should()
            .beFreeOfCycles()
            .because("a package can be read, tested and moved alone only while none leads back");

    @ArchTest
    public static final ArchRule nobodySleeps =
        noClasses()
            .should()
            .accessTargetWhere(Calls.anyOf("java.lang.Thread", "sleep"))
            .orShould()
            .accessTargetWhere(Calls.anyOf("java.util.concurrent.TimeUnit", "sleep"))
            .because("a sleep cannot be woken: await a condition, a latch or a signal");

    @ArchTest
    public static final ArchRule nothingIsUnbounded =
        noClasses()
            .should()
            .accessTargetWhere(Calls.UNBOUNDED_QUEUE)
            .orShould()
            .accessTargetWhere(Calls.UNBOUNDED_EXECUTOR)
            .orShould()
            .accessTargetWhere(Calls.ASYNC_ON_THE_SHARED_POOL)
            .because(
                "each buffer and pool has a bound: ArrayBlockingQueue, LinkedBlockingQueue(n),"
                    + " ThreadPoolExecutor, and Async methods with an executor of their own");

    @ArchTest
    public static final ArchRule packagesAreNullMarked =
        classes()
            .should(Layout.LIE_IN_A_NULL_MARKED_PACKAGE)
            .because("NullAway and Kotlin users rely on it; add it in package-info.java");
  }

  /** For the modules that are published: sluice-core, sluice-producer, sluice-worker. */
  public static final class Published {
    private Published() {}

    @ArchTest
    public static final ArchRule timeIsAnArgument =
        noClasses()
            .that()
            .doNotHaveFullyQualifiedName("dev.sluice.time.SystemClock")
            .should()
            .accessTargetWhere(Calls.READS_THE_CLOCK)
            .because("only dev.sluice.time.SystemClock reads the clocks: take a Clock or a time");

    @ArchTest
    public static final ArchRule randomnessIsInjected =
        noClasses()
            .that()
            .resideOutsideOfPackages(Layout.COMPOSITION_ROOTS)
            .should()
            .accessTargetWhere(Calls.DRAWS_A_SEED)
            .because("a run is repeated by its seed: take a RandomGenerator");

    @ArchTest
    public static final ArchRule threadsAreMadeInFewPlaces =
        noClasses()
            .that(Layout.MAY_NOT_MAKE_THREADS)
            .should()
            .accessTargetWhere(Calls.MAKES_A_THREAD)
            .because("threads belong to ..thread.., ..kafka.., ..cli.. and the HTTP servers");

    @ArchTest
    public static final ArchRule commandsAreLeaves =
        noClasses()
            .that()
            .resideOutsideOfPackage("..cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.sluice..cli..")
            .orShould()
            .dependOnClassesThat()
            .resideInAnyPackage("picocli..", "ch.qos.logback..")
            .because("the user of a library inherits no command line and no logging backend");

    @ArchTest
    public static final ArchRule onlyCommandsEndTheProcessOrPrint =
        noClasses()
            .that()
            .resideOutsideOfPackage("..cli..")
            .and()
            // A strict limit is kept by halting a worker that outlived it; see WorkerBuilder.halt.
            .doNotHaveFullyQualifiedName("dev.sluice.worker.WorkerBuilder")
            .should()
            .accessTargetWhere(Calls.ENDS_THE_PROCESS_OR_PRINTS)
            .because("a library throws and logs; the process is its user's");

    @ArchTest
    public static final ArchRule appsDoNotKnowEachOther =
        classes()
            .should(Layout.KNOW_NO_OTHER_APP)
            .because("the apps meet in sluice-core only, and local-kafka serves tests only");

    @ArchTest
    public static final ArchRule valuesAreImmutable =
        fields()
            .that()
            .areDeclaredInClassesThat(Layout.VALUES)
            .and()
            .areNotStatic()
            .should()
            .beFinal()
            .because("records and enums are shared between threads");

    @ArchTest
    public static final ArchRule exceptionsSpeakOneLanguage =
        classes()
            .that()
            .areAssignableTo(Throwable.class)
            .should()
            .beAssignableTo("dev.sluice.SluiceException")
            .andShould(haveSimpleNameEndingWith("Exception"))
            .because("a user catches SluiceException and has them all");
  }

  /** For sluice-core, where the pure policies are. */
  public static final class Core {
    private Core() {}

    @ArchTest
    public static final ArchRule flowKnowsOnlyTheJdk =
        classes()
            .that()
            .resideInAPackage("dev.sluice.flow..")
            .should()
            .onlyDependOnClassesThat(resideInAPackage("dev.sluice.flow..").or(Layout.PURE_JDK))
            .because("the same policies run in production and under virtual time");

    @ArchTest
    public static final ArchRule theWordsOfTheUserKnowOnlyTheJdk =
        classes()
            .that()
            .resideInAPackage("dev.sluice")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("dev.sluice", "java..", "org.jspecify.annotations")
            .because("dev.sluice is what a user's handler is compiled against");

    @ArchTest
    public static final ArchRule definitionsDoNotChange =
        fields()
            .that()
            .areDeclaredInClassesThat()
            .resideInAPackage("dev.sluice.queue")
            .and()
            .areDeclaredInClassesThat()
            // Lives within one call of a with method.
            .doNotHaveSimpleName("QueueCopy")
            .should()
            .beFinal()
            .because("a definition that was checked stays as it was checked");

    @ArchTest
    public static final ArchRule coreKnowsNoApp =
        noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                "dev.sluice.worker..", "dev.sluice.producer..", "dev.sluice.console..")
            .because("the apps depend on the core");
  }

  /** For sluice-worker. */
  public static final class Worker {
    private Worker() {}

    @ArchTest
    public static final ArchRule oneOwnerOfTheConsumer =
        noClasses()
            .that()
            .resideOutsideOfPackages("dev.sluice.worker.kafka", "dev.sluice.worker.delay.kafka")
            .should()
            .dependOnClassesThat(assignableTo("org.apache.kafka.clients.consumer.Consumer"))
            .because("a consumer belongs to the one thread that polls it");

    @ArchTest
    public static final ArchRule resilience4jStaysInItsPackage =
        noClasses()
            .that()
            .resideOutsideOfPackages("dev.sluice.worker", "dev.sluice.worker.limit")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.github.resilience4j..")
            .because("the engine knows limits only as dev.sluice.flow.limit.Limit");

    @ArchTest
    public static final ArchRule limitsNeverBlock =
        noClasses()
            .should()
            .accessTargetWhere(Calls.BLOCKS_IN_RESILIENCE4J)
            .because("a limit that waits stops the poll thread, and with it every partition");

    @ArchTest
    public static final ArchRule engineIsPure =
        classes()
            .that()
            .resideInAPackage("dev.sluice.worker.engine")
            .should()
            .onlyDependOnClassesThat(Layout.KNOWN_TO_THE_ENGINE)
            .because("the engine runs under the simulation too: no I/O, no threads, no logging");
  }
}
