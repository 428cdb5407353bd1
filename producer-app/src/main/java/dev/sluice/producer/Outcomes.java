// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer;

import dev.sluice.SluiceException;
import dev.sluice.UnknownOutcomeException;
import dev.sluice.history.HistoryEvent;
import dev.sluice.history.HistoryWriter;
import dev.sluice.producer.gate.AdmissionClient;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What follows the end of a submission: its room is given back, and its outcome is recorded. */
final class Outcomes implements Submission.End {
  private static final Logger LOG = LoggerFactory.getLogger(TaskProducer.class);

  private final AdmissionClient admission;
  private final @Nullable HistoryWriter history;
  private final ProducerMeters meters;
  private volatile @Nullable Thread callbackThread;
  private volatile boolean historyBroken;

  Outcomes(AdmissionClient admission, @Nullable HistoryWriter history, ProducerMeters meters) {
    this.admission = admission;
    this.history = history;
    this.meters = meters;
  }

  @Override
  public void ended(
      Submission submission, @Nullable Acceptance acceptance, @Nullable SluiceException failure) {
    admission.leave(submission.permit);
    submission.credit.settle(acceptance != null || failure instanceof UnknownOutcomeException);
    if (acceptance != null) {
      meters.countAccepted();
      record(
          HistoryEvent.ACCEPTED,
          submission.id(),
          submission.key,
          submission.delayed ? -1 : acceptance.partition(),
          submission.delayed ? -1 : acceptance.offset());
    } else if (failure instanceof UnknownOutcomeException) {
      meters.countUnknown();
      record(HistoryEvent.UNKNOWN, submission.id(), submission.key, -1, -1);
    } else {
      rejected(submission.id(), submission.key);
    }
  }

  @Override
  public void known(Submission submission) {
    admission.end(submission.permit);
  }

  /** A task that was refused before it became a submission. */
  void rejected(String id, byte @Nullable [] key) {
    meters.countRejected();
    record(HistoryEvent.REJECTED, id, key, -1, -1);
  }

  private void record(
      HistoryEvent event, String id, byte @Nullable [] key, int partition, long offset) {
    if (history == null || historyBroken) {
      return;
    }
    try {
      history.submitted(event, id, key, partition, offset);
    } catch (SluiceException e) {
      // The outcome of a task must not depend on its record.
      historyBroken = true;
      LOG.error("No further history is written: {}", e.getMessage(), e);
    }
  }

  @Override
  public void calledOn(Thread thread) {
    if (callbackThread != thread) {
      callbackThread = thread;
    }
  }

  /** Whether this is the thread on which submissions end. */
  boolean onCallbackThread() {
    return Thread.currentThread() == callbackThread;
  }
}
