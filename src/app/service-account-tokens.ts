// Owns the tokens of ServiceAccounts of this cluster that open others (flux.md §4.1 kubeConfig.configMapRef).
import type { DynamicClient } from '../cluster/client.ts';
import type { ConfigMapAccessOptions } from '../controllers/kustomization/config-map-access.ts';
import { isJsonObject } from '../lib/json.ts';
import type { IssuedToken, TokenCache } from '../runtime/token-cache.ts';

/** Asks this cluster for tokens; they are kept by account and audience. Throws ApiError. */
export function serviceAccountTokens(client: DynamicClient, cache: TokenCache): ConfigMapAccessOptions['tokenOf'] {
  return ({ namespace, name, audiences }, object) => {
    const use = { kind: object.kind, namespace, name: object.metadata.name, operation: 'fetch_kubeconfig' };
    const key = JSON.stringify([namespace, name, audiences]);
    return cache.get(key, use, async () => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${encodeURIComponent(name)}/token`;
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } };
      return readToken(await client.raw('POST', path, request));
    });
  };
}

function readToken(answer: unknown): IssuedToken {
  const status = isJsonObject(answer) && isJsonObject(answer['status']) ? answer['status'] : {};
  const { token, expirationTimestamp } = status;
  if (typeof token !== 'string' || token === '') throw new Error('the API server answered without a token');
  return { token, expiresMs: Date.parse(String(expirationTimestamp)) };
}
