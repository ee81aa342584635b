// Owns kubeconfigs whose credentials come from an exec plugin or an OIDC provider. The library that runs these is
// heavy (88 MB), so this file is imported only when a kubeconfig needs it.
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../lib/clock.ts';
import type { ClusterAccess } from './access.ts';

/** The library runs a plugin again when its credential has expired; asking it costs, so not for each request. */
const RECHECK_MS = 10_000;

/**
 * Completes the access with the plugin's credentials. A token is renewed as it expires; a client certificate is taken
 * once, at the start.
 */
export async function pluginAccess(
  base: ClusterAccess,
  text: string,
  context: string,
  options: { readonly clock: Clock; readonly folder: string },
): Promise<ClusterAccess> {
  const config = new KubeConfig();
  config.loadFromString(text);
  config.setCurrentContext(context);
  config.makePathsAbsolute(options.folder);
  const ask = async (): Promise<RequestOptions> => {
    const request: RequestOptions = {};
    await config.applyToHTTPSOptions(request);
    return request;
  };
  const first = await ask();
  const cert = pem(first.cert);
  const key = pem(first.key);
  let header = authorizationHeader(first);
  let askedAt = options.clock.monotonic();
  return {
    ...base,
    tls: { ...base.tls, ...(cert === undefined || key === undefined ? {} : { cert, key }) },
    authorization: async () => {
      if (options.clock.monotonic() - askedAt < RECHECK_MS) return header;
      header = authorizationHeader(await ask());
      askedAt = options.clock.monotonic();
      return header;
    },
  };
}

function authorizationHeader(request: RequestOptions): string | undefined {
  const headers = request.headers as Readonly<Record<string, unknown>> | undefined;
  const value = headers?.['Authorization'];
  return typeof value === 'string' ? value : undefined;
}

function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}
