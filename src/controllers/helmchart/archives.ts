// Owns fetching the archive that an index names: over HTTP, or out of a registry, which indexes may name too.
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import type { ChartVersion } from '../../engines/helm/repository/choose.ts';
import { type ChartRepositoryLogin, fetchChart } from '../../remote/charts/repository.ts';
import { checkTag, parseRepositoryUrl } from '../../remote/oci/reference.ts';
import { createRegistry } from '../../remote/oci/registry.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import type { HelmChartPorts } from './ports.ts';
import { fetchOciChart } from './registry.ts';

/** A version in the index of a repository. */
export interface IndexedArchive {
  readonly repository: HelmRepository;
  readonly login: ChartRepositoryLogin;
  readonly entry: ChartVersion;
}

interface Fetching {
  readonly ports: Pick<HelmChartPorts, 'http' | 'clock' | 'limits'>;
  readonly signal: AbortSignal;
}

/**
 * Fetches an archive to a new file; it has the digest that the index states.
 * Throws ChartRepositoryError, RegistryError, RemoteError, Error.
 */
export async function fetchArchive(
  { repository, login, entry }: IndexedArchive,
  path: string,
  { ports, signal }: Fetching,
): Promise<{ readonly digest: string; readonly size: number }> {
  const [url] = entry.urls;
  if (url === undefined) throw new Error(`chart '${entry.name}' has no downloadable URLs`);
  const { http, limits } = ports;
  const timeoutMs = sourceTimeoutMs(repository.spec);
  if (!url.startsWith('oci://')) {
    const source = { http, url: repository.spec.url, login, timeoutMs };
    return fetchChart(source, url, { path, maxBytes: limits.chartBytes, digest: entry.digest, signal });
  }
  const { registry, tag } = openNamed(url, login, { ports, timeoutMs });
  const fetched = await fetchOciChart(registry, tag, path, { limits, signal });
  const wanted = entry.digest.replace(/^sha256:/, '');
  if (wanted === '' || fetched.digest === `sha256:${wanted}`) return fetched;
  throw new Error(`${url} does not have the digest of the index: want sha256:${wanted}, got ${fetched.digest}`);
}

/** A registry is another host than that of the index: it gets no password unless the owner wants it. */
function openNamed(
  url: string,
  { basic, tls, proxy, passCredentials }: ChartRepositoryLogin,
  { ports, timeoutMs }: { readonly ports: Fetching['ports']; readonly timeoutMs: number },
) {
  const colon = url.lastIndexOf(':');
  const { cert: _cert, key: _key, ...trust } = tls ?? {};
  const registry = createRegistry({
    http: ports.http,
    clock: ports.clock,
    repository: parseRepositoryUrl(url.slice(0, colon)),
    login: basic !== undefined && passCredentials === true ? { kind: 'password', ...basic } : undefined,
    tls: trust,
    proxy,
    timeoutMs,
  });
  return { registry, tag: checkTag(url.slice(colon + 1)) };
}
