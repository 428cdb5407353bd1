// SPDX-License-Identifier: Apache-2.0
package dev.sluice.producer.http;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * TLS of the gateway.
 *
 * @param keyStore its key and certificate, PKCS#12 or JKS
 * @param password of both stores
 * @param trustStore whom clients' certificates must be signed by; null to ask for none
 */
public record GatewayTls(Path keyStore, String password, @Nullable Path trustStore) {
  @Override
  public String toString() {
    return "GatewayTls[keyStore=" + keyStore + ", trustStore=" + trustStore + "]";
  }
}
