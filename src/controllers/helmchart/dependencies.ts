// Owns fetching the subcharts that a chart declares and lacks, as `helm dependency build` does it (helm.md §22.2): from
// the source itself, or from repositories, with the credentials of the HelmRepositories of the namespace.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HelmChart, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import { archiveReader } from '../../engines/helm/archive.ts';
import { type ChartFile, readChartLock, readChartMetadata } from '../../engines/helm/chart.ts';
import { readChartFolder } from '../../engines/helm/folder.ts';
import type { Dependency } from '../../engines/helm/metadata.ts';
import { type ChartVersion, chooseTag } from '../../engines/helm/repository/choose.ts';
import { errorMessage } from '../../lib/errors.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { parseVersion } from '../../lib/semver.ts';
import { parseConstraint, satisfies } from '../../lib/semver-constraint.ts';
import { normalizeTreePath, resolveTreePath } from '../../lib/tree-path.ts';
import { type ChartRepository, fetchIndex } from '../../remote/charts/repository.ts';
import { parseRepositoryUrl } from '../../remote/oci/reference.ts';
import type { Key } from '../../runtime/controller.ts';
import { readChartLogin } from '../shared/chart-login.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { fetchArchive } from './archives.ts';
import { buildError } from './failure.ts';
import type { HelmChartPorts } from './ports.ts';
import { fetchOciChart, openChartRegistry } from './registry.ts';

/** A chart in a folder of a source. */
export interface FolderChart {
  readonly tree: FileTree;
  readonly path: string;
  readonly files: readonly ChartFile[];
}

interface Fetching {
  readonly ports: HelmChartPorts;
  readonly key: Key;
  readonly signal: AbortSignal;
}

const ANONYMOUS_TIMEOUT_MS = 60_000;

/** The files below charts/ that are to be added. Throws ReconcileError DependencyBuildError. */
export async function missingDependencies(
  object: HelmChart,
  chart: FolderChart,
  fetching: Fetching,
): Promise<ChartFile[]> {
  const added: ChartFile[] = [];
  try {
    for (const dependency of listMissing(chart.files)) {
      const isLocal = dependency.repository === '' || dependency.repository.startsWith('file://');
      const fetch = isLocal
        ? async () => readLocal(chart, dependency)
        : () => fetchRemote(object, dependency, fetching);
      const words = `failed to add ${isLocal ? 'local' : 'remote'} dependency '${dependency.alias || dependency.name}'`;
      added.push(...(await said(words, fetch)));
    }
  } catch (error) {
    fetching.signal.throwIfAborted();
    throw buildError(reasons.dependencyBuildError, error);
  }
  return added;
}

async function said<T>(words: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new Error(`${words}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Declared dependencies, exact ones where there is a lock, without those that lie in charts/ already. */
function listMissing(files: readonly ChartFile[]): Dependency[] {
  const declared = readChartLock(files) ?? readChartMetadata(files).dependencies ?? [];
  const present = new Set(presentCharts(files));
  const wanted = new Map<string, Dependency>();
  for (const dependency of declared) {
    if (!present.has(dependency.name)) wanted.set(`${dependency.name} ${dependency.version}`, dependency);
  }
  return [...wanted.values()];
}

/** Names of the charts in charts/. One that cannot be read counts as absent; packaging says what is wrong with it. */
function presentCharts(files: readonly ChartFile[]): string[] {
  return files.flatMap(({ name, data }) => {
    const folder = /^charts\/[^/]+\/Chart\.yaml$/.test(name);
    if (!folder && !/^charts\/[^/]+\.tgz$/.test(name)) return [];
    try {
      return [readChartMetadata(folder ? [{ name: 'Chart.yaml', data }] : archiveReader()(data)).name];
    } catch {
      return [];
    }
  });
}

function readLocal({ tree, path }: FolderChart, { name, version, repository }: Dependency): ChartFile[] {
  const place = repository === '' ? `charts/${name}` : repository.slice('file://'.length);
  // A leading slash means the chart's folder too, as in Flux.
  const at = resolveTreePath(tree, normalizeTreePath(place.replace(/^\/+/, ''), path));
  const kind = tree.stat(at)?.kind;
  if (kind === undefined) throw new Error(`no chart found at '/${at}' (reference '${repository}')`);
  const files = kind === 'dir' ? readChartFolder(tree, at) : archiveReader()(tree.read(at)!);
  if (!satisfies(parseVersion(readChartMetadata(files).version), parseConstraint(version))) {
    throw new Error(`can't get a valid version for constraint '${version}'`);
  }
  return files.map((file) => ({ name: `charts/${name}/${file.name}`, data: file.data }));
}

async function fetchRemote(object: HelmChart, dependency: Dependency, fetching: Fetching): Promise<ChartFile[]> {
  const url = normalizeUrl(dependency.repository);
  const namespace = object.metadata.namespace ?? '';
  const repository =
    fetching.ports.listRepositories(namespace).find(({ spec }) => normalizeUrl(spec.url) === url) ??
    anonymous(namespace, url);
  const folder = await fetching.ports.downloads.create();
  try {
    const path = join(folder.path, 'chart.tgz');
    const fetch = url.startsWith('oci://') ? fetchFromRegistry : fetchFromIndex;
    const version = await fetch(repository, dependency, path, fetching);
    return [{ name: `charts/${dependency.name}-${version}.tgz`, data: await readFile(path) }];
  } finally {
    await folder.dispose();
  }
}

/** Throws for addresses that only a person's own Helm could resolve. */
function normalizeUrl(url: string): string {
  if (url.startsWith('@')) throw new Error(`aliased repository dependency is not supported: ${url}`);
  if (!/^(?:https?|oci):\/\//.test(url)) throw new Error(`invalid dependency repository URL: ${url}`);
  return url.replace(/\/+$/, '');
}

function anonymous(namespace: string, url: string): HelmRepository {
  const spec = { url, timeout: `${ANONYMOUS_TIMEOUT_MS / 1000}s` };
  return { apiVersion: '', kind: 'HelmRepository', metadata: { name: '', namespace }, spec };
}

async function fetchFromRegistry(
  repository: HelmRepository,
  { name, version }: Dependency,
  path: string,
  { ports, key, signal }: Fetching,
): Promise<string> {
  const place = parseRepositoryUrl(`${repository.spec.url.replace(/\/+$/, '')}/${name}`);
  const registry = await openChartRegistry(repository, place, ports, { key, signal });
  const found = chooseTag(await registry.tags(signal), version);
  await fetchOciChart(registry, found.replaceAll('+', '_'), path, { limits: ports.limits, signal });
  return found;
}

async function fetchFromIndex(
  repository: HelmRepository,
  dependency: Dependency,
  path: string,
  { ports, key, signal }: Fetching,
): Promise<string> {
  const login = repository.metadata.name === '' ? {} : await readChartLogin(repository, ports, { key, signal });
  const remote = { http: ports.http, url: repository.spec.url, login, timeoutMs: sourceTimeoutMs(repository.spec) };
  const entry = await findEntry(repository, remote, dependency, { ports, signal });
  await fetchArchive({ repository, login, entry }, path, { ports, signal });
  return entry.version;
}

/** The version in the stored index of the repository, else in one that is fetched for this. */
async function findEntry(
  repository: HelmRepository,
  remote: ChartRepository,
  { name, version }: Dependency,
  { ports, signal }: Pick<Fetching, 'ports' | 'signal'>,
): Promise<ChartVersion> {
  const stored = repository.status?.artifact;
  if (stored !== undefined) return ports.indexes.find(stored, name, version);
  const folder = await ports.downloads.create();
  try {
    const path = join(folder.path, 'index.yaml');
    await fetchIndex(remote, { path, maxBytes: ports.limits.indexBytes, signal });
    const output = join(folder.path, 'index.json');
    const { digest } = await ports.workers.run('writeIndexFile', { path, output }, { signal });
    return await ports.indexes.findIn(output, digest, { name, wanted: version });
  } finally {
    await folder.dispose();
  }
}
