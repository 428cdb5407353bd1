// SPDX-License-Identifier: Apache-2.0
package dev.sluice.console;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import dev.sluice.architecture.SluiceRules;

@AnalyzeClasses(packages = "dev.sluice.console", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest static final ArchTests everywhere = ArchTests.in(SluiceRules.EveryModule.class);
}
