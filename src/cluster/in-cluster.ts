// Owns the configuration that Kubernetes mounts into every pod.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';
import type { ClusterAccess } from './access.ts';
import { fileToken } from './token-file.ts';

/** Code `NotInCluster`. */
export class InClusterError extends CodedError<'NotInCluster', Record<string, never>> {}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  readonly clock: Clock;
  /** KUBERNETES_SERVICE_HOST and _PORT. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the token, ca.crt and namespace are. @default where Kubernetes mounts them */
  readonly folder?: string;
}

/** Access by the ServiceAccount of the pod that this runs in. Throws `InClusterError`. */
export function inClusterAccess(options: InClusterOptions): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = options.env;
  const folder = options.folder ?? SERVICE_ACCOUNT;
  if (!host || !port) {
    throw new InClusterError(
      'NotInCluster',
      'not running in a cluster: KUBERNETES_SERVICE_HOST and _PORT are not set',
      {},
    );
  }
  try {
    const ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
    const namespace = readFileSync(join(folder, 'namespace'), 'utf8').trim();
    const authorization = fileToken(join(folder, 'token'), options.clock);
    authorization();
    return {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      tls: { ca },
      namespace,
      authorization,
    };
  } catch (error) {
    throw new InClusterError(
      'NotInCluster',
      `cannot read the ServiceAccount: ${errorMessage(error)}`,
      {},
      { cause: error },
    );
  }
}
