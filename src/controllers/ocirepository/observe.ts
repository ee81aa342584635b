// Owns every read of an OCIRepository pass: what is stored, and what the reference means in the registry now.
import { type OCIRepository, ociRepositoryReasons as reasons } from '../../api/source/ocirepository.ts';
import { errorMessage } from '../../lib/errors.ts';
import { parseRepositoryUrl } from '../../remote/oci/reference.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { openRegistry } from '../shared/registry-login.ts';
import { archiveState } from '../shared/source-artifact.ts';
import { authFailed, keptOrRead } from '../shared/source-login.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { blockerOf } from './decide.ts';
import { registryFailure } from './failure.ts';
import type { OciRepositoryPorts } from './ports.ts';
import { chooseSemverTag } from './tags.ts';
import type { Observed, ResolvedArtifact } from './types.ts';

export async function observe(
  object: OCIRepository,
  ports: OciRepositoryPorts,
  pass: Pass<OCIRepository>,
): Promise<Observed> {
  const archive = await archiveState(object.status?.artifact, ports);
  if (blockerOf(object) !== undefined) return { object, archive, resolved: undefined };
  const registry = await keptOrRead(ports.registries, [object], pass, () => open(object, ports, pass));
  const wait = { url: object.spec.url, timeoutMs: sourceTimeoutMs(object.spec) };
  try {
    const resolved = await waitRemotely(wait, ports, pass, (signal) => resolve(object, registry, signal));
    return { object, archive, resolved };
  } catch (error) {
    pass.signal.throwIfAborted();
    ports.registries.delete(pass.key);
    throw error;
  }
}

async function open(
  object: OCIRepository,
  ports: OciRepositoryPorts,
  { key, signal }: Pass<OCIRepository>,
): Promise<Registry> {
  const { spec, metadata } = object;
  const { serviceAccountName = '' } = spec;
  const namespace = metadata.namespace ?? '';
  const pullSecrets =
    serviceAccountName === '' ? [] : await ports.readPullSecrets(namespace, serviceAccountName, signal);
  if (pullSecrets === undefined) {
    const why = `serviceaccounts "${serviceAccountName}" not found`;
    throw authFailed(
      `failed to get credential: failed to get service account '${namespace}/${serviceAccountName}': ${why}`,
    );
  }
  const repository = parseRepositoryUrl(spec.url);
  return openRegistry(object, { ...spec, pullSecrets, timeoutMs: sourceTimeoutMs(object.spec) }, repository, {
    ports,
    key,
    signal,
  });
}

async function resolve(object: OCIRepository, registry: Registry, signal: AbortSignal): Promise<ResolvedArtifact> {
  const { ref = {}, url } = object.spec;
  const repository = parseRepositoryUrl(url);
  if (ref.digest) return { registry, repository, digest: ref.digest, revision: ref.digest };
  const tag = ref.semver ? await findTag(object, ref.semver, registry, signal) : ref.tag || 'latest';
  try {
    const digest = await registry.resolveTag(tag, signal);
    return { registry, repository, digest, revision: `${tag}@${digest}` };
  } catch (error) {
    throw registryFailure(object, error, reasons.pullFailed, 'failed to determine artifact digest: ');
  }
}

async function findTag(object: OCIRepository, range: string, registry: Registry, signal: AbortSignal): Promise<string> {
  const prefix = `failed to determine the artifact tag for '${object.spec.url}': `;
  let tags: readonly string[];
  try {
    tags = await registry.tags(signal);
  } catch (error) {
    throw registryFailure(object, error, reasons.readOperationFailed, prefix);
  }
  try {
    const { ref, layerSelector } = object.spec;
    return chooseSemverTag(tags, { range, filter: ref?.semverFilter, mediaType: layerSelector?.mediaType });
  } catch (error) {
    const options = { condition: 'FetchFailed', cause: error };
    throw new ReconcileError(reasons.readOperationFailed, prefix + errorMessage(error), options);
  }
}
