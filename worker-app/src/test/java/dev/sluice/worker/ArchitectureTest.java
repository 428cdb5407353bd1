// SPDX-License-Identifier: Apache-2.0
package dev.sluice.worker;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.sluice.architecture.SluiceRules;

@AnalyzeClasses(
    packages = "dev.sluice.worker",
    importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest static final ArchRule CYCLES = SluiceRules.PACKAGES_ARE_FREE_OF_CYCLES;
  @ArchTest static final ArchRule ENGINE = SluiceRules.WORKER_ENGINE_IS_PURE;
  @ArchTest static final ArchRule CONSUMER = SluiceRules.WORKER_CONSUMER_HAS_ONE_OWNER;
  @ArchTest static final ArchRule LIMITS = SluiceRules.WORKER_RESILIENCE4J_STAYS_IN_ITS_PACKAGE;
  @ArchTest static final ArchRule WAITING = SluiceRules.WORKER_NOBODY_WAITS_IN_RESILIENCE4J;
  @ArchTest static final ArchRule TIME = SluiceRules.TIME_IS_AN_ARGUMENT;
  @ArchTest static final ArchRule SLEEP = SluiceRules.NOBODY_SLEEPS;
  @ArchTest static final ArchRule RANDOMNESS = SluiceRules.RANDOMNESS_IS_INJECTED;
  @ArchTest static final ArchRule BOUNDS = SluiceRules.NOTHING_IS_UNBOUNDED;
  @ArchTest static final ArchRule COMMANDS = SluiceRules.COMMANDS_ARE_LEAVES;
  @ArchTest static final ArchRule EXCEPTIONS = SluiceRules.EXCEPTIONS_SPEAK_ONE_LANGUAGE;
}
