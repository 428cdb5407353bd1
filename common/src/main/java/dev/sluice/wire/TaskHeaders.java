// SPDX-License-Identifier: Apache-2.0
package dev.sluice.wire;

/** The names of the record headers that carry a task; their values are UTF-8 text. */
public final class TaskHeaders {
  public static final String SPEC_VERSION = "ce_specversion";
  public static final String ID = "ce_id";
  public static final String TYPE = "ce_type";
  public static final String SOURCE = "ce_source";
  public static final String TIME = "ce_time";
  public static final String CONTENT_TYPE = "content-type";
  public static final String ATTEMPT = "sluice-attempt";
  public static final String DEADLINE = "sluice-deadline";
  public static final String NOT_BEFORE = "sluice-not-before";

  /** The topic that a delayed task comes out in. */
  public static final String DELIVER_TO = "sluice-deliver-to";

  /** On a task that was put back from the dead letters: it is no duplicate of itself. */
  public static final String REDRIVEN = "sluice-redriven";

  /** The batch that the task belongs to. */
  public static final String BATCH = "sluice-batch";

  /** The batch whose end the task waits for; there is a {@link #NOT_BEFORE} beside it. */
  public static final String AFTER_BATCH = "sluice-after-batch";

  /** The topic that is told how the task ended. */
  public static final String REPLY_TO = "sluice-reply-to";

  /** On a result: how the task ended. */
  public static final String OUTCOME = "sluice-outcome";

  /** How urgent the task is, where its queue has priorities: 0 for the least. */
  public static final String PRIORITY = "sluice-priority";

  /** Whom the task is for, where its queue serves tenants in turns. */
  public static final String TENANT = "sluice-tenant";

  /** How many tasks are above it, each of which submitted the next one; none without it. */
  public static final String DEPTH = "sluice-depth";

  public static final String ORIGIN = "sluice-origin";
  public static final String ERROR_TYPE = "sluice-error-type";
  public static final String ERROR_MESSAGE = "sluice-error-message";
  public static final String ERROR_STACK = "sluice-error-stack";
  public static final String ERROR_ATTEMPTS = "sluice-error-attempts";
  public static final String ERROR_FIRST_AT = "sluice-error-first-at";
  public static final String ERROR_LAST_AT = "sluice-error-last-at";
  public static final String ERROR_WORKER = "sluice-error-worker";

  private TaskHeaders() {}
}
