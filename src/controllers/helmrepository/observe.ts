// Owns every read of a HelmRepository pass: what is stored, and what the server has now.
import { join } from 'node:path';
import { type HelmRepository, helmRepositoryReasons as reasons } from '../../api/source/helmrepository.ts';
import { errorCode, errorMessage } from '../../lib/errors.ts';
import { ChartRepositoryError, fetchIndex } from '../../remote/charts/repository.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { readChartLogin } from '../shared/chart-login.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { archiveState } from '../shared/source-artifact.ts';
import { keptOrRead } from '../shared/source-login.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { blockerOf } from './decide.ts';
import type { HelmRepositoryPorts } from './ports.ts';
import type { DownloadedIndex, Observed } from './types.ts';

export async function observe(
  object: HelmRepository,
  ports: HelmRepositoryPorts,
  pass: Pass<HelmRepository>,
): Promise<Observed> {
  const archive = await archiveState(object.status?.artifact, ports);
  if (blockerOf(object) !== undefined) return { object, archive, index: undefined };
  return { object, archive, index: await download(object, archive === 'present', ports, pass) };
}

async function download(
  object: HelmRepository,
  isStored: boolean,
  ports: HelmRepositoryPorts,
  pass: Pass<HelmRepository>,
): Promise<DownloadedIndex | 'unchanged'> {
  const login = await keptOrRead(ports.logins, [object], pass, () => readChartLogin(object, ports, pass));
  const { url } = object.spec;
  const known = ports.known.get(pass.key);
  const isKnown = isStored && known?.url === url && known.revision === object.status?.artifact?.revision;
  const timeoutMs = sourceTimeoutMs(object.spec);
  const folder = await ports.downloads.create();
  try {
    const path = join(folder.path, 'index.yaml');
    const { indexBytes: maxBytes } = ports.limits;
    const validators = isKnown ? { known: known.validators } : {};
    const fetched = await waitRemotely({ url }, ports, pass, (signal) =>
      fetchIndex({ http: ports.http, url, login, timeoutMs }, { path, maxBytes, signal, ...validators }),
    );
    if (fetched.state === 'fetched') return { folder, path, revision: fetched.digest, validators: fetched.validators };
    await folder.dispose();
    return 'unchanged';
  } catch (error) {
    await folder.dispose();
    pass.signal.throwIfAborted();
    ports.logins.delete(pass.key);
    throw fetchFailure(error, ports.limits.indexBytes);
  }
}

/** The error of a download, with Flux's words before the cause. */
function fetchFailure(error: unknown, maxBytes: number): ReconcileError {
  const why =
    errorCode(error) === 'RemoteTooLarge'
      ? `index exceeds the maximum index file size of ${maxBytes} bytes`
      : errorMessage(error);
  const message = `failed to fetch Helm repository index: ${why}`;
  const retryAfterMs = error instanceof ChartRepositoryError ? error.data.retryAfterMs : undefined;
  return new ReconcileError(reasons.failed, message, { condition: 'FetchFailed', cause: error, retryAfterMs });
}
