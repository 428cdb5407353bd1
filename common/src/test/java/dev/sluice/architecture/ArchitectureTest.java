// SPDX-License-Identifier: Apache-2.0
package dev.sluice.architecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.sluice", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest static final ArchRule CYCLES = SluiceRules.PACKAGES_ARE_FREE_OF_CYCLES;
  @ArchTest static final ArchRule FLOW = SluiceRules.FLOW_KNOWS_ONLY_THE_JDK;
  @ArchTest static final ArchRule TIME = SluiceRules.TIME_IS_AN_ARGUMENT;
  @ArchTest static final ArchRule SLEEP = SluiceRules.NOBODY_SLEEPS;
  @ArchTest static final ArchRule RANDOMNESS = SluiceRules.RANDOMNESS_IS_INJECTED;
  @ArchTest static final ArchRule BOUNDS = SluiceRules.NOTHING_IS_UNBOUNDED;
  @ArchTest static final ArchRule COMMANDS = SluiceRules.COMMANDS_ARE_LEAVES;
  @ArchTest static final ArchRule EXCEPTIONS = SluiceRules.EXCEPTIONS_SPEAK_ONE_LANGUAGE;
}
