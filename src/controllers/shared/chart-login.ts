// Owns the credentials of a HelmRepository over HTTP, for its index and for its charts.
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import type { ChartRepositoryLogin } from '../../remote/charts/repository.ts';
import { parseTls } from '../../remote/git/auth.ts';
import type { Requeue } from '../../runtime/controller.ts';
import { authFailed, configured, type LoginPass, secretsOf } from './source-login.ts';
import type { SourcePorts } from './source-ports.ts';
import { durationMs, intervalRequeue } from './timing.ts';

const DEFAULT_INTERVAL = '1m';
/** Reads the Secrets of a repository. Throws ReconcileError AuthenticationFailed. */
export async function readChartLogin(
  object: HelmRepository,
  ports: Pick<SourcePorts, 'readSecret' | 'secrets'>,
  pass: Pick<LoginPass, 'key' | 'signal'>,
): Promise<ChartRepositoryLogin> {
  const { secretRef, certSecretRef, passCredentials } = object.spec;
  const secrets = secretsOf(object, ports, pass);
  const own = await secrets.tls(certSecretRef, "failed to construct Helm client's TLS config: ");
  const data = await secrets.read(secretRef, 'authentication secret');
  const username = data?.['username'] ?? '';
  const password = data?.['password'] ?? '';
  if ((username === '') !== (password === '')) {
    const name = `${object.metadata.namespace}/${secretRef?.name}`;
    throw authFailed(
      `failed to detect authentication methods: secret '${name}' must have both 'username' and 'password'`,
    );
  }
  // Charts of old kept the certificates beside the password.
  const beside =
    data === undefined ? undefined : configured('failed to detect authentication methods: ', () => parseTls(data));
  const tls = own ?? beside;
  return {
    ...(username === '' ? {} : { basic: { username, password } }),
    ...(tls === undefined ? {} : { tls }),
    ...(passCredentials === true ? { passCredentials } : {}),
  };
}

/** When a repository is looked at again: after a minute where the spec does not say. */
export function chartRequeue({ spec }: HelmRepository): Requeue {
  const { interval = DEFAULT_INTERVAL } = spec;
  return intervalRequeue({ interval: durationMs(interval) === 0 ? DEFAULT_INTERVAL : interval });
}
