// Owns writing a chart archive to a file: from the files of a folder, or out of another archive with other values. What
// belongs into it is engines/helm/package.ts; renaming it into place is the store's business.
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { archiveReader } from '../../engines/helm/archive.ts';
import { type ChartFile, readChartMetadata } from '../../engines/helm/chart.ts';
import { HelmError } from '../../engines/helm/errors.ts';
import { mergeValuesFiles, packageChart, type ValuesFile } from '../../engines/helm/package.ts';
import { writeTar } from '../../lib/tar.ts';
import { normalizeTreePath } from '../../lib/tree-path.ts';

/** What to package. Plain data: it crosses to a worker. */
export interface PackageChartInput {
  /** The chart's files, or the path of its archive. */
  readonly chart: readonly ChartFile[] | string;
  readonly version?: string | undefined;
  /** Values files that were read already, in order. */
  readonly values?: readonly ValuesFile[] | undefined;
  /** Names of values files inside the chart, in order. */
  readonly valuesInside?: readonly string[] | undefined;
  readonly ignoreMissingValues?: boolean | undefined;
  /** Subcharts that the chart lacks. */
  readonly added?: readonly ChartFile[] | undefined;
  /** Where the archive goes. */
  readonly path: string;
}

/** What was packaged. */
export interface PackageChartOutput {
  /** `sha256:<hex>` of the file. */
  readonly digest: string;
  readonly size: number;
  /** Values files that were merged: without those that were missing and may be. */
  readonly valuesFiles: readonly string[];
}

const FILE_MODE = 0o644;

/** Writes the archive; the same input gives the same bytes. Throws HelmError, TarError, TreePathError. */
export async function packageChartFile(input: PackageChartInput): Promise<PackageChartOutput> {
  const files = typeof input.chart === 'string' ? archiveReader()(await readFile(input.chart)) : input.chart;
  const values = input.values ?? insideValues(files, input);
  const made = packageChart(files, {
    version: input.version,
    values: values.length === 0 ? undefined : mergeValuesFiles(values),
    added: input.added,
  });
  const archive = gzipSync(
    writeTar(
      made.files.map(({ name, data }) => ({ name: `${made.name}/${name}`, kind: 'file', mode: FILE_MODE, data })),
    ),
  );
  await writeSynced(input.path, archive);
  const digest = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
  return { digest, size: archive.length, valuesFiles: values.map(({ path }) => path) };
}

/** Whether an archive is a chart of that name and version, as its own metadata says. Throws HelmError. */
export async function readChartArchive(path: string): Promise<{ readonly name: string; readonly version: string }> {
  const { name, version } = readChartMetadata(archiveReader()(await readFile(path)));
  return { name, version };
}

function insideValues(
  files: readonly ChartFile[],
  { valuesInside = [], ignoreMissingValues }: PackageChartInput,
): ValuesFile[] {
  return valuesInside.flatMap((path) => {
    const found = files.find(({ name }) => name === normalizeTreePath(path));
    if (found !== undefined) return [{ path, text: Buffer.from(found.data).toString('utf8') }];
    if (ignoreMissingValues === true) return [];
    throw new HelmError('ValuesInvalid', `no values file found at path '${path}'`, { path });
  });
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
