// Owns charts in a registry: opening it for a HelmRepository of type oci, and fetching a chart out of it.
import { open } from 'node:fs/promises';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import { type Descriptor, type Manifest, parseManifest } from '../../remote/oci/manifest.ts';
import type { RepositoryName } from '../../remote/oci/reference.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import { saveBlob } from '../../remote/oci/save-blob.ts';
import { openRegistry } from '../shared/registry-login.ts';
import type { LoginPass } from '../shared/source-login.ts';
import type { SourceLimits } from '../shared/source-ports.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { checkChartSize } from './files.ts';
import type { HelmChartPorts } from './ports.ts';

const CONFIG = 'application/vnd.cncf.helm.config.v1+json';
const LAYERS = ['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'application/tar+gzip'];

/** Opens the registry with the repository's Secrets. Throws ReconcileError AuthenticationFailed. */
export function openChartRegistry(
  repository: HelmRepository,
  name: RepositoryName,
  ports: HelmChartPorts,
  { key, signal }: Pick<LoginPass, 'key' | 'signal'>,
): Promise<Registry> {
  const { secretRef, certSecretRef, insecure } = repository.spec;
  const spec = { secretRef, certSecretRef, insecure, timeoutMs: sourceTimeoutMs(repository.spec) };
  return openRegistry(repository, spec, name, { ports, key, signal });
}

/** Fetches a chart by tag or digest to a new file. Throws RegistryError, RemoteError, Error. */
export async function fetchOciChart(
  registry: Registry,
  reference: string,
  path: string,
  { limits, signal }: { readonly limits: SourceLimits; readonly signal: AbortSignal },
): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const layer = chartLayer(parseManifest((await registry.manifest(reference, signal)).bytes));
  checkChartSize(layer.size, limits);
  const file = await open(path, 'wx', 0o600);
  try {
    await saveBlob(registry, layer, file, signal);
  } finally {
    await file.close();
  }
  return layer;
}

function chartLayer({ config, layers }: Manifest): Descriptor {
  if (config?.mediaType !== CONFIG) {
    throw new Error(`could not load config with mediatype ${CONFIG}: the artifact is no Helm chart`);
  }
  const layer = layers.find(({ mediaType }) => LAYERS.includes(mediaType));
  if (layer === undefined) throw new Error(`manifest does not contain a layer with mediatype ${LAYERS[0]}`);
  return layer;
}
