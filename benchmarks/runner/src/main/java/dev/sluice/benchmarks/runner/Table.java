// SPDX-License-Identifier: Apache-2.0
package dev.sluice.benchmarks.runner;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The runs of one workload: medians with least and most, each median also as a ratio to that of the
 * system that the others are compared with.
 */
final class Table {
  /**
   * A column.
   *
   * @param field of the raw lines
   * @param title over the column
   * @param decimals of its figures
   */
  record Column(String field, String title, int decimals) {}

  private final String title;
  private final List<Column> columns;
  private final @Nullable String reference;
  private final Map<String, List<ObjectNode>> runs = new LinkedHashMap<>();

  /**
   * @param reference the system that the others are compared with, or null
   */
  Table(String title, @Nullable String reference, Column... columns) {
    this.title = title;
    this.reference = reference;
    this.columns = List.of(columns);
  }

  void add(String system, ObjectNode line) {
    runs.computeIfAbsent(system, s -> new ArrayList<>()).add(line);
  }

  /** All lines that were added. */
  List<ObjectNode> lines() {
    return runs.values().stream().flatMap(List::stream).toList();
  }

  double median(String system, String field) {
    double[] values = values(system, field);
    int middle = values.length / 2;
    if (values.length == 0) {
      return Double.NaN;
    }
    return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  }

  private double[] values(String system, String field) {
    return runs.getOrDefault(system, List.of()).stream()
        .filter(line -> line.has(field))
        .mapToDouble(line -> line.get(field).asDouble())
        .sorted()
        .toArray();
  }

  /** As GitHub reads tables. */
  String text() {
    List<String[]> rows = new ArrayList<>();
    rows.add(heads());
    for (String system : runs.keySet()) {
      String[] row = new String[columns.size() + 1];
      row[0] = system;
      for (int i = 0; i < columns.size(); i++) {
        row[i + 1] = cell(system, columns.get(i));
      }
      rows.add(row);
    }
    int[] widths = new int[columns.size() + 1];
    rows.forEach(
        row -> Arrays.setAll(widths, i -> Math.max(Math.max(3, widths[i]), row[i].length())));
    StringBuilder text = new StringBuilder("### ").append(title).append("\n\n");
    for (int r = 0; r < rows.size(); r++) {
      line(text, rows.get(r), widths);
      if (r == 0) {
        text.append('|');
        for (int width : widths) {
          text.append('-').append("-".repeat(width)).append("-|");
        }
        text.append('\n');
      }
    }
    return text.toString();
  }

  private String[] heads() {
    String[] heads = new String[columns.size() + 1];
    heads[0] = "system";
    for (int i = 0; i < columns.size(); i++) {
      heads[i + 1] = columns.get(i).title();
    }
    return heads;
  }

  private static void line(StringBuilder text, String[] cells, int[] widths) {
    text.append('|');
    for (int i = 0; i < cells.length; i++) {
      text.append(' ').append(cells[i]).append(" ".repeat(widths[i] - cells[i].length()));
      text.append(" |");
    }
    text.append('\n');
  }

  private String cell(String system, Column column) {
    double[] values = values(system, column.field());
    if (values.length == 0) {
      return "-";
    }
    double median = median(system, column.field());
    String text = number(median, column.decimals());
    if (values.length > 1 && values[0] != values[values.length - 1]) {
      text +=
          " ("
              + number(values[0], column.decimals())
              + " to "
              + number(values[values.length - 1], column.decimals())
              + ")";
    }
    String compared = reference;
    if (compared != null && !compared.equals(system) && median(compared, column.field()) > 0) {
      text += String.format(Locale.ROOT, " = %.2f", median / median(compared, column.field()));
    }
    return text;
  }

  private static String number(double value, int decimals) {
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** The same figures as JSON. */
  ObjectNode json() {
    ObjectNode node = Bench.object();
    node.put("title", title);
    ArrayNode systems = node.putArray("systems");
    for (String system : runs.keySet()) {
      ObjectNode each = systems.addObject();
      each.put("system", system);
      for (Column column : columns) {
        double[] values = values(system, column.field());
        if (values.length > 0) {
          ObjectNode figures = each.putObject(column.field());
          figures.put("median", median(system, column.field()));
          figures.put("least", values[0]).put("most", values[values.length - 1]);
          figures.put("runs", values.length);
          String compared = reference;
          if (compared != null && median(compared, column.field()) > 0) {
            figures.put("ratio", median(system, column.field()) / median(compared, column.field()));
          }
        }
      }
    }
    return node;
  }
}
