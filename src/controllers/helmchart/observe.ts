// Owns every read of a HelmChart pass: the source as the cache has it, and which version of the chart it offers.
import { type HelmChart, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import { readChartMetadata } from '../../engines/helm/chart.ts';
import { checkChartName, chooseTag } from '../../engines/helm/repository/choose.ts';
import { errorCode } from '../../lib/errors.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { parseVersion } from '../../lib/semver.ts';
import { normalizeTreePath, resolveTreePath } from '../../lib/tree-path.ts';
import { parseRepositoryUrl } from '../../remote/oci/reference.ts';
import type { Registry } from '../../remote/oci/registry.ts';
import type { Pass } from '../../runtime/controller.ts';
import { readChartLogin } from '../shared/chart-login.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { archiveState } from '../shared/source-artifact.ts';
import { keptOrRead } from '../shared/source-login.ts';
import { blockerOf, isCurrent } from './decide.ts';
import { buildError, pullError } from './failure.ts';
import { readArchive } from './files.ts';
import type { HelmChartPorts } from './ports.ts';
import { openChartRegistry } from './registry.ts';
import type { Candidate, Observed } from './types.ts';

const LOOKING_UP = 'failed to get chart version for remote reference: ';

type ChartPass = Pick<Pass<HelmChart>, 'aside' | 'key' | 'signal' | 'requested'>;

export async function observe(object: HelmChart, ports: HelmChartPorts, pass: Pass<HelmChart>): Promise<Observed> {
  const archive = await archiveState(object.status?.artifact, ports);
  const source = ports.findSource(object.metadata.namespace ?? '', object.spec.sourceRef);
  const { requeueDependencyMs } = ports.settings;
  const isSourceStored = await ports.hasSource(source?.status?.artifact);
  const base = { object, archive, source, isSourceStored, requeueDependencyMs };
  const seen = { ...base, candidate: undefined };
  if (blockerOf(seen) !== undefined) return seen;
  if (pass.requested === undefined && isCurrent(seen)) return seen;
  if (source?.kind !== 'HelmRepository') {
    const tree = await ports.openArtifact(source!.status!.artifact!);
    return { ...base, candidate: await findInFiles(object, tree, ports, pass.signal) };
  }
  const find = source.spec.type === 'oci' ? findInRegistry : findInIndex;
  return { ...base, candidate: await find(object, source, ports, pass) };
}

async function findInIndex(
  object: HelmChart,
  repository: HelmRepository,
  ports: HelmChartPorts,
  pass: ChartPass,
): Promise<Candidate> {
  const { chart, version = '' } = object.spec;
  const login = await keptOrRead(ports.logins, [object, repository], pass, () =>
    readChartLogin(repository, ports, pass),
  );
  try {
    checkChartName(chart);
    const entry = await ports.indexes.find(repository.status!.artifact!, chart, version);
    return { found: { from: 'index', repository, login, entry }, name: entry.name, version: entry.version };
  } catch (error) {
    const prefix = chart === '' ? '' : LOOKING_UP;
    const isUnknown = errorCode(error) === 'ChartUnknown';
    throw buildError(isUnknown ? reasons.invalidChartReference : reasons.chartPullError, error, prefix);
  }
}

async function findInRegistry(
  object: HelmChart,
  repository: HelmRepository,
  ports: HelmChartPorts,
  pass: ChartPass,
): Promise<Candidate> {
  const { chart, version = '' } = object.spec;
  const name = chartRepositoryName(repository, chart);
  const registry = await keptOrRead(ports.registries, [object, repository], pass, () =>
    openChartRegistry(repository, name, ports, pass),
  );
  try {
    const { url } = repository.spec;
    const found = isExact(version)
      ? version
      : await waitRemotely({ url }, ports, pass, (signal) => findTag(chart, version, registry, signal));
    const tag = found.replaceAll('+', '_');
    return { found: { from: 'registry', repository, registry, name, tag }, name: chart, version: found };
  } catch (error) {
    pass.signal.throwIfAborted();
    ports.registries.delete(pass.key);
    throw pullError(error, LOOKING_UP);
  }
}

/** Where a chart of a registry is. Throws ReconcileError InvalidChartReference. */
function chartRepositoryName(repository: HelmRepository, chart: string) {
  try {
    checkChartName(chart);
    return parseRepositoryUrl(`${repository.spec.url.replace(/\/+$/, '')}/${chart}`);
  } catch (error) {
    throw buildError(reasons.invalidChartReference, error);
  }
}

/** A version in three parts needs no list of tags. */
function isExact(version: string): boolean {
  try {
    return parseVersion(version).original.split('.').length >= 3;
  } catch {
    return false;
  }
}

async function findTag(chart: string, wanted: string, registry: Registry, signal: AbortSignal): Promise<string> {
  let tags: string[];
  try {
    tags = await registry.tags(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw pullError(error, `${LOOKING_UP}could not get tags for "${chart}": `);
  }
  if (tags.length === 0) throw new Error(`unable to locate any tags in provided repository: ${chart}`);
  return chooseTag(tags, wanted);
}

async function findInFiles(
  { spec }: HelmChart,
  tree: FileTree,
  ports: HelmChartPorts,
  signal: AbortSignal,
): Promise<Candidate> {
  try {
    if (spec.chart === '') throw new Error('no path set for local chart reference');
    const path = resolveTreePath(tree, normalizeTreePath(spec.chart));
    const kind = path === '' ? 'dir' : tree.stat(path)?.kind;
    if (kind === undefined) throw new Error(`stat ${path}: no such file or directory`);
    const isFolder = kind === 'dir';
    const read = isFolder ? readFolderMetadata(tree, path) : await readArchive(tree.read(path)!, ports, signal);
    return { found: { from: 'files', tree, path, isFolder }, name: read.name, version: read.version };
  } catch (error) {
    signal.throwIfAborted();
    throw buildError(reasons.invalidChartReference, error);
  }
}

/** Name and version of the chart in a folder. Throws HelmError. */
function readFolderMetadata(tree: FileTree, folder: string) {
  const files = ['Chart.yaml', 'requirements.yaml'].flatMap((name) => {
    const data = tree.read(resolveTreePath(tree, folder === '' ? name : `${folder}/${name}`));
    return data === undefined ? [] : [{ name, data }];
  });
  return readChartMetadata(files);
}
