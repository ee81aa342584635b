// Owns the doing: fetch the chart, check its signature, package it, store it. What to do was decided in decide.ts.
import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HelmChart, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import { readChartFolder } from '../../engines/helm/folder.ts';
import { errorCode } from '../../lib/errors.ts';
import type { PackageChartInput } from '../../offload/charts/package-file.ts';
import { formatReference } from '../../remote/oci/reference.ts';
import type { Key, Pass } from '../../runtime/controller.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { checkSignature } from '../shared/registry-login.ts';
import { collectArtifacts, failureError, storeArtifact } from '../shared/source-artifact.ts';
import { fetchArchive } from './archives.ts';
import { missingDependencies } from './dependencies.ts';
import { buildError, pullError } from './failure.ts';
import { checkChartSize, readValuesFiles } from './files.ts';
import type { HelmChartPorts } from './ports.ts';
import { fetchOciChart } from './registry.ts';
import type { BuildPlan, Decision, FoundChart, Outcome } from './types.ts';

const KIND = 'helmchart';

export async function act(decision: Decision, ports: HelmChartPorts, pass: Pass<HelmChart>): Promise<Outcome> {
  switch (decision.do) {
    case 'fail':
      throw failureError(decision.failure);
    case 'nothing':
      await collectArtifacts(KIND, pass.key, pass.current().status?.artifact, ports);
      return { type: 'nothing', sourceRevision: decision.sourceRevision };
    case 'build': {
      const folder = await ports.downloads.create();
      try {
        return await build(decision, folder.path, ports, pass);
      } catch (error) {
        pass.signal.throwIfAborted();
        throw error;
      } finally {
        await folder.dispose();
      }
    }
    default:
      return decision satisfies never;
  }
}

/** A chart that lies in a file, ready to be stored. */
interface Built {
  readonly path: string;
  readonly digest: string;
  readonly size: number;
  readonly valuesFiles: readonly string[];
}

async function build(
  { plan, sourceRevision }: Extract<Decision, { do: 'build' }>,
  folder: string,
  ports: HelmChartPorts,
  pass: Pass<HelmChart>,
): Promise<Outcome> {
  const object = pass.current();
  const { key, signal } = pass;
  const built = await make(object, plan, folder, { ports, key, signal, aside: (wait) => pass.aside(wait) });
  const { artifact, isNew } = await storeArtifact(
    {
      kind: KIND,
      key: pass.key,
      file: `${plan.name.slice(plan.name.lastIndexOf('/') + 1)}-${plan.builtVersion}.tgz`,
      revision: plan.builtVersion,
      old: object.status?.artifact,
    },
    async (path) => {
      await rename(built.path, path);
      return built;
    },
    ports,
  );
  ports.onStored(`HelmChart/${pass.key}`);
  const { name, packages, verify } = plan;
  const { valuesFiles } = built;
  return { type: 'stored', artifact, isNew, name, packaged: packages, valuesFiles, sourceRevision, verified: verify };
}

interface Making extends Pick<Pass, 'aside' | 'signal'> {
  readonly ports: HelmChartPorts;
  readonly key: Key;
}

/** A chart that is downloaded. */
type RemoteChart = Exclude<FoundChart, { from: 'files' }>;

function make(object: HelmChart, plan: BuildPlan, folder: string, making: Making): Promise<Built> {
  const { found } = plan;
  return found.from === 'files'
    ? makeFromFiles(object, plan, folder, making)
    : makeFromRepository(object, { ...plan, found }, folder, making);
}

async function makeFromRepository(
  object: HelmChart,
  plan: BuildPlan & { readonly found: RemoteChart },
  folder: string,
  making: Making,
): Promise<Built> {
  const path = join(folder, 'chart.tgz');
  const { ports, signal } = making;
  const { url } = plan.found.repository.spec;
  const downloaded = await waitRemotely({ url, continues: true }, ports, making, () =>
    download(object, plan.found, path, making),
  );
  if (!plan.packages) {
    try {
      await ports.workers.run('readChartArchive', path, { signal });
    } catch (error) {
      throw buildError(reasons.chartPullError, error, 'failed to load chart metadata from written chart: ');
    }
    return { path, ...downloaded, valuesFiles: [] };
  }
  const { ignoreMissingValuesFiles: ignoreMissingValues } = object.spec;
  const inside = { valuesInside: plan.valuesFiles, ignoreMissingValues };
  return pack({ chart: path, version: plan.builtVersion, ...inside, path: join(folder, 'packaged.tgz') }, making);
}

async function download(
  object: HelmChart,
  found: RemoteChart,
  path: string,
  making: Making,
): Promise<{ readonly digest: string; readonly size: number }> {
  const prefix = 'failed to download chart for remote reference: ';
  const { ports, key, signal } = making;
  if (found.from === 'registry') {
    let reference = found.tag;
    if (object.spec.verify !== undefined) reference = await verifyTag(object, found, making);
    return fetchOciChart(found.registry, reference, path, { limits: ports.limits, signal }).catch((error: unknown) => {
      ports.registries.delete(key);
      throw pullError(error, prefix);
    });
  }
  try {
    return await fetchArchive(found, path, making);
  } catch (error) {
    ports.logins.delete(key);
    throw pullError(error, prefix);
  }
}

/** Checks the signature of what the tag stands for now, and answers its digest: that very artifact is fetched then. */
async function verifyTag(
  object: HelmChart,
  { registry, name, tag }: Extract<FoundChart, { from: 'registry' }>,
  making: Making,
): Promise<string> {
  const { verify } = object.spec;
  const digest = await registry.resolveTag(tag, making.signal).catch((error: unknown) => {
    throw pullError(error, 'failed to determine artifact digest: ');
  });
  if (verify !== undefined) {
    await checkSignature(object, { verify, registry, digest, reference: formatReference(name, tag) }, making);
  }
  return digest;
}

async function makeFromFiles(object: HelmChart, plan: BuildPlan, folder: string, making: Making): Promise<Built> {
  const { found } = plan;
  if (found.from !== 'files') throw new Error('a chart of a repository is downloaded');
  const path = join(folder, 'chart.tgz');
  if (!found.isFolder) {
    const bytes = found.tree.read(found.path) ?? new Uint8Array();
    await writeFile(path, bytes, { mode: 0o600 });
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (!plan.packages) return { path, digest, size: bytes.length, valuesFiles: [] };
  }
  const values = readValuesFiles(object, found.tree);
  const base = { version: plan.builtVersion, values, path: join(folder, 'packaged.tgz') };
  if (!found.isFolder) return pack({ ...base, chart: path }, making);
  const chart = packaging(() => readChartFolder(found.tree, found.path));
  const added = await missingDependencies(object, { ...found, files: chart }, making);
  return pack({ ...base, chart, added }, making);
}

function packaging<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw buildError(reasons.chartPackageError, error);
  }
}

async function pack(input: PackageChartInput, { ports, signal }: Making): Promise<Built> {
  try {
    const packed = await ports.workers.run('packageChart', input, { signal });
    checkChartSize(packed.size, ports.limits);
    return { path: input.path, ...packed };
  } catch (error) {
    signal.throwIfAborted();
    const isValues = errorCode(error) === 'ValuesInvalid';
    throw buildError(isValues ? reasons.valuesFilesError : reasons.chartPackageError, error);
  }
}
