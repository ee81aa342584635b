// Owns charts in the files of a source: their archives, the values files beside them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HelmChart, helmChartReasons as reasons } from '../../api/source/helmchart.ts';
import type { ValuesFile } from '../../engines/helm/package.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { normalizeTreePath, resolveTreePath } from '../../lib/tree-path.ts';
import type { SourceLimits } from '../shared/source-ports.ts';
import { buildError } from './failure.ts';
import type { HelmChartPorts } from './ports.ts';
import { valuesFilesOf } from './version.ts';

/** Throws an Error for a chart that is too large. */
export function checkChartSize(bytes: number, { chartBytes }: SourceLimits): void {
  if (bytes > chartBytes) throw new Error(`size of chart exceeds '${chartBytes}' bytes limit`);
}

/** Name and version of an archive, read in a thread. Throws HelmError, or an Error for one that is too large. */
export async function readArchive(
  bytes: Uint8Array,
  ports: Pick<HelmChartPorts, 'downloads' | 'workers' | 'limits'>,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly version: string }> {
  checkChartSize(bytes.length, ports.limits);
  const folder = await ports.downloads.create();
  try {
    const path = join(folder.path, 'chart.tgz');
    await writeFile(path, bytes, { mode: 0o600 });
    return await ports.workers.run('readChartArchive', path, { signal });
  } finally {
    await folder.dispose();
  }
}

/** The values files of a chart, by their paths from the root of the source. Throws ReconcileError ValuesFilesError. */
export function readValuesFiles(object: HelmChart, tree: FileTree): ValuesFile[] {
  return valuesFilesOf(object).flatMap((reference) => {
    let path: string;
    try {
      path = resolveTreePath(tree, normalizeTreePath(reference));
    } catch (error) {
      throw buildError(reasons.valuesFilesError, error);
    }
    const data = tree.read(path);
    if (data !== undefined) return [{ path: reference, text: Buffer.from(data).toString('utf8') }];
    if (object.spec.ignoreMissingValuesFiles === true && tree.stat(path) === undefined) return [];
    const why = new Error(`no values file found at path '/${path}' (reference '${reference}')`);
    throw buildError(reasons.valuesFilesError, why);
  });
}
