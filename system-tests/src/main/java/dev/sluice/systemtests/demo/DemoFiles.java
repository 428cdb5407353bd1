// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.ConfigException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The input and the results of the demo. */
final class DemoFiles {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private DemoFiles() {}

  /** Regular files below a folder, in a stable order, at most so many. */
  static List<Path> below(Path folder, int most) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new ConfigException(
          "The folder " + folder + " does not exist; name one with files in it by --dir");
    }
    try (Stream<Path> found = Files.walk(folder)) {
      List<Path> files =
          found
              .filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
              .filter(Files::isReadable)
              .sorted()
              .limit(most)
              .toList();
      if (files.isEmpty()) {
        throw new ConfigException("The folder " + folder + " has no file; name another by --dir");
      }
      return files;
    }
  }

  /** One task per file, its folder the key. */
  static void writeTasks(List<Path> files, Path to) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(to)) {
      for (Path file : files) {
        Path parent = file.getParent();
        String folder = parent == null ? "" : parent.toString();
        out.write(
            MAPPER.writeValueAsString(Map.of("path", file.toString(), "folder", folder)) + "\n");
      }
    }
  }

  /** The digests that the workers found, by path; each with how often. */
  static Map<String, Result> results(List<Path> resultFiles) throws IOException {
    Map<String, Result> results = new HashMap<>();
    for (Path file : resultFiles) {
      if (Files.exists(file)) {
        for (String line : Files.readAllLines(file, UTF_8)) {
          JsonNode node = MAPPER.readTree(line);
          results.merge(
              node.path("path").asText(),
              new Result(node.path("sha256").asText(), 1),
              (a, b) ->
                  new Result(
                      a.sha256().equals(b.sha256()) ? a.sha256() : "differs",
                      a.times() + b.times()));
        }
      }
    }
    return results;
  }

  /**
   * What was found of a file.
   *
   * @param sha256 its digest in hexadecimal
   * @param times how often it was found
   */
  record Result(String sha256, int times) {}

  /** The digest, computed apart from the workers: the whole file at once, in this process. */
  static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JVM has SHA-256", e);
    }
  }
}
