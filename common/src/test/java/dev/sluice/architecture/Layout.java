// SPDX-License-Identifier: Apache-2.0
package dev.sluice.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Set;

/** Where classes lie, and what may lie there. */
final class Layout {
  /** Where the parts are put together, and so where seeds are drawn. */
  static final String[] COMPOSITION_ROOTS = {"dev.sluice.worker", "dev.sluice.producer", "..cli.."};

  private static final Set<String> APPS = Set.of("worker", "producer", "console");

  /** Has threads, processes or an end of its own, though it lies in {@code java.lang}. */
  private static final DescribedPredicate<JavaClass> RIM_OF_JAVA_LANG =
      belongToAnyOf(
          Thread.class, ThreadLocal.class, Process.class, ProcessBuilder.class, Runtime.class);

  static final DescribedPredicate<JavaClass> PURE_JDK =
      describe(
          "the part of the JDK without threads, clocks and I/O",
          type ->
              type.isPrimitive()
                  || type.isArray()
                  || resideInAPackage("java.lang..").test(type) && !RIM_OF_JAVA_LANG.test(type)
                  || resideInAnyPackage(
                          "java.util", "java.util.function", "java.util.random", "java.util.stream")
                      .test(type)
                  || type.isEquivalentTo(java.time.Duration.class)
                  // Bytes and their checksum, for the codecs: arithmetic, no I/O.
                  || resideInAPackage("java.nio.charset").test(type)
                  || type.isEquivalentTo(java.nio.ByteBuffer.class)
                  || type.isEquivalentTo(java.nio.ByteOrder.class)
                  || type.getFullName().startsWith("java.util.zip.CRC32")
                  || type.isEquivalentTo(java.util.zip.Checksum.class)
                  || resideInAPackage("org.jspecify.annotations").test(type));

  static final DescribedPredicate<JavaClass> KNOWN_TO_THE_ENGINE =
      describe(
          "the engine, the policies, definitions, the words of the user, the pure JDK and atomics",
          type ->
              PURE_JDK.test(type)
                  || resideInAnyPackage(
                          "dev.sluice.worker.engine",
                          "dev.sluice.flow..",
                          "dev.sluice",
                          // Tasks are handed to handler threads; an atomic is no thread.
                          "java.util.concurrent.atomic")
                      .test(type)
                  // Values with checked bounds; whoever reads them from files is not known here.
                  || resideInAPackage("dev.sluice.queue").test(type)
                      && type.getSimpleName().endsWith("Definition"));

  static final DescribedPredicate<JavaClass> MAY_NOT_MAKE_THREADS =
      describe(
          "are not at the rim",
          type ->
              not(resideInAnyPackage(
                          "..thread..",
                          "..kafka..",
                          "..cli..",
                          "..localkafka..",
                          "..http..",
                          "..health.."))
                      .test(type)
                  // Starts the thread of the poll loop, whose life it is.
                  && !within(type, "dev.sluice.worker.GroupWorker")
                  // Its client's own pool has no bound, so it brings one.
                  && !within(type, "dev.sluice.worker.handler.HttpHandler")
                  // A process has three pipes, and a thread must empty each.
                  && !within(type, "dev.sluice.worker.handler.ExecHandler")
                  && !within(type, "dev.sluice.worker.handler.LineChild"));

  static final DescribedPredicate<JavaClass> VALUES =
      describe("are records or enums", type -> type.isRecord() || type.isEnum());

  static final SliceAssignment EACH_PACKAGE =
      new SliceAssignment() {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
          return type.getPackageName().startsWith("dev.sluice")
              ? SliceIdentifier.of(type.getPackageName())
              : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
          return "the packages of Sluice";
        }
      };

  static final ArchCondition<JavaClass> LIE_IN_A_NULL_MARKED_PACKAGE =
      new ArchCondition<>("lie in a package with @NullMarked") {
        @Override
        public void check(JavaClass type, ConditionEvents events) {
          if (!type.getPackage().isAnnotatedWith("org.jspecify.annotations.NullMarked")) {
            events.add(
                SimpleConditionEvent.violated(
                    type, type.getName() + " lies in a package without @NullMarked"));
          }
        }
      };

  static final ArchCondition<JavaClass> KNOW_NO_OTHER_APP =
      new ArchCondition<>("know no other app and no local-kafka") {
        @Override
        public void check(JavaClass type, ConditionEvents events) {
          for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
            String own = part(type);
            String other = part(dependency.getTargetClass());
            if (!own.equals(other) && (APPS.contains(other) || other.equals("localkafka"))) {
              events.add(SimpleConditionEvent.violated(type, dependency.getDescription()));
            }
          }
        }
      };

  private Layout() {}

  private static boolean within(JavaClass type, String name) {
    return type.getName().equals(name) || type.getName().startsWith(name + "$");
  }

  /** The word after {@code dev.sluice.}, or nothing. */
  private static String part(JavaClass type) {
    String[] words = type.getPackageName().split("\\.");
    return words.length > 2 && type.getPackageName().startsWith("dev.sluice.") ? words[2] : "";
  }
}
