// SPDX-License-Identifier: Apache-2.0
package dev.sluice.localkafka;

/** The given folder is a file, or holds the data of another number of brokers. */
public final class DataFolderException extends LocalKafkaException {
  private static final long serialVersionUID = 1L;

  DataFolderException(String message) {
    super(message);
  }
}
