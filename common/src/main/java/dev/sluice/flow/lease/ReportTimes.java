// SPDX-License-Identifier: Apache-2.0
package dev.sluice.flow.lease;

/**
 * When a holder sent its reports: a lease begins with the report that it answers, not with the
 * arrival of the grant, so that a grant that was long under way is short, and one that took longer
 * than the lease is none. Remembers the last {@value #REMEMBERED}. Not thread-safe.
 */
public final class ReportTimes {
  /** Reports whose grants may still come. */
  public static final int REMEMBERED = 256;

  private final long[] sentNanos = new long[REMEMBERED];
  private long last;

  /**
   * Notes the time before a report is sent.
   *
   * @return its number, from 1; never used again
   */
  public long next(long nowNanos) {
    last++;
    sentNanos[(int) (last % REMEMBERED)] = nowNanos;
    return last;
  }

  /** The number of the last report; 0 before the first. */
  public long last() {
    return last;
  }

  /** Whether it is remembered when that report was sent. */
  public boolean knows(long report) {
    return report >= 1 && report <= last && report > last - REMEMBERED;
  }

  /** When a report was sent that is known. */
  public long sentNanos(long report) {
    if (!knows(report)) {
      throw new IllegalArgumentException("Report " + report + " of " + last + " is not known");
    }
    return sentNanos[(int) (report % REMEMBERED)];
  }
}
