// SPDX-License-Identifier: Apache-2.0
package dev.sluice.systemtests.simulation;

import dev.sluice.fleet.Claim;
import dev.sluice.fleet.Epoch;
import dev.sluice.fleet.GrantBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The control topics: partitions of records in order, each seen a while after it was written. They
 * can be deleted and made anew, under another id.
 */
final class SimLog {
  /** Where records of one kind go. */
  record Place(String topic, int partition) {}

  /** One record. */
  record Entry(long offset, Object value, long atNanos) {}

  /** What becomes of an append. */
  interface Ack {
    void done(boolean written);
  }

  private final World world;
  private final Map<Place, List<Entry>> partitions = new HashMap<>();
  private final Map<String, Long> lastArrival = new HashMap<>();
  private int generation = 1;

  SimLog(World world) {
    this.world = world;
  }

  String topicId() {
    return "topic-" + generation;
  }

  int generation() {
    return generation;
  }

  /** There was somebody before, long ago: a coordinator that had nothing to give any more. */
  void past(int grantsPartitions) {
    Epoch epoch = new Epoch(topicId(), 1, 0, "of-the-past");
    for (int i = 0; i < grantsPartitions; i++) {
      List<Entry> entries = new ArrayList<>();
      if (i == 0) {
        entries.add(new Entry(0, new Claim(1, epoch.incarnation(), "past"), 0));
      }
      GrantBatch batch = new GrantBatch(epoch, 0, 5 * World.SECOND, 0, true, List.of());
      entries.add(new Entry(entries.size(), batch, 0));
      partitions.put(new Place("grants", i), entries);
    }
  }

  /** Deletes the topics and makes them anew. */
  void recreate() {
    generation++;
    partitions.clear();
    world.trace("recreated", generation);
  }

  /** Writes a record some time from now, after all that the same process wrote there before. */
  void append(SimProcess from, Place place, Object value, Ack ack) {
    int written = generation;
    String line = from.line() + place;
    long arrival =
        Math.max(
            world.now() + from.delayNanos(place),
            lastArrival.getOrDefault(line, Long.MIN_VALUE) + 1);
    lastArrival.put(line, arrival);
    world.at(
        arrival,
        () -> {
          if (written != generation) {
            return; // the topic that it was meant for is gone; nobody hears of it
          }
          List<Entry> entries = partitions.computeIfAbsent(place, p -> new ArrayList<>());
          entries.add(new Entry(entries.size(), value, world.now()));
          world.trace("append", place.hashCode() * 31L + entries.size());
          long acked = world.now() + from.delayNanos(place);
          world.at(acked, () -> from.whenRunning(() -> ack.done(true)));
        });
  }

  /** The end of a partition. */
  long end(Place place) {
    return partitions.getOrDefault(place, List.of()).size();
  }

  /** What a process sees from an offset on. */
  List<Entry> read(SimProcess reader, Place place, long from) {
    List<Entry> entries = partitions.getOrDefault(place, List.of());
    List<Entry> seen = new ArrayList<>();
    long visible = world.now() - reader.fetchNanos(place);
    for (int i = (int) from; i < entries.size() && entries.get(i).atNanos() <= visible; i++) {
      seen.add(entries.get(i));
    }
    return seen;
  }
}
