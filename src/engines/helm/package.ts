// Owns making a chart archive's content: the chart's files with another version or other default values, subcharts that
// were missing added (`helm dependency build`, `helm package`). Compressing and writing it are others' work.
import { fromYaml, toYaml } from '../../lib/goyaml/sigs.ts';
import { isJsonObject } from '../../lib/json.ts';
import { archiveReader } from './archive.ts';
import { type ChartFile, createChart, readChartMetadata } from './chart.ts';
import { encodeYaml } from './encoders.ts';
import { HelmError } from './errors.ts';
import { mergeMaps, type Table } from './table.ts';
import { parseValues } from './values-file.ts';

const CHART_FILE = 'Chart.yaml';
const VALUES_FILE = 'values.yaml';
const FIRST = [CHART_FILE, 'Chart.lock', VALUES_FILE, 'values.schema.json'];

/** What is to be changed. */
export interface PackageOptions {
  /** @default the chart's own */
  readonly version?: string | undefined;
  /** Replaces values.yaml. */
  readonly values?: Uint8Array | undefined;
  /** Subcharts that the chart lacks, as files below charts/. */
  readonly added?: readonly ChartFile[] | undefined;
}

/** The content of an archive. */
export interface ChartPackage {
  readonly name: string;
  readonly version: string;
  /** Named below the chart's folder, in the order in which they are written. */
  readonly files: readonly ChartFile[];
}

/** Makes the content. Throws HelmError `ChartInvalid` where the result cannot be loaded, `ValuesInvalid`. */
export function packageChart(files: readonly ChartFile[], options: PackageOptions = {}): ChartPackage {
  const changed = [...files.map((file) => change(file, options)), ...(options.added ?? [])];
  if (options.values !== undefined && !files.some(({ name }) => name === VALUES_FILE)) {
    throw new HelmError('ValuesInvalid', `failed to locate values file: ${VALUES_FILE}`, {});
  }
  createChart(changed, archiveReader());
  const { name, version } = readChartMetadata(changed);
  const place = (file: ChartFile): number => (FIRST.indexOf(file.name) + FIRST.length + 1) % (FIRST.length + 1);
  return { name, version, files: changed.sort((a, b) => place(a) - place(b)) };
}

function change(file: ChartFile, { version, values }: PackageOptions): ChartFile {
  if (file.name === VALUES_FILE && values !== undefined) return { name: file.name, data: values };
  if (file.name !== CHART_FILE || version === undefined) return file;
  const chart = fromYaml(Buffer.from(file.data).toString('utf8'));
  if (!isJsonObject(chart)) throw new HelmError('ChartInvalid', `cannot load ${CHART_FILE}: it is no mapping`, {});
  return { name: file.name, data: Buffer.from(toYaml({ ...chart, version })) };
}

/** One values file: how it is called where it was asked for, and its text. */
export interface ValuesFile {
  readonly path: string;
  readonly text: string;
}

/** Values files as one, later ones winning (flux.md §3.4). Throws HelmError `ValuesInvalid`. */
export function mergeValuesFiles(valuesFiles: readonly ValuesFile[]): Uint8Array {
  let merged: Table = new Map();
  for (const { path, text } of valuesFiles) {
    try {
      merged = mergeMaps(merged, parseValues(text, 'helm3'));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HelmError('ValuesInvalid', `unmarshaling values from '${path}' failed: ${why}`, { path }, { cause });
    }
  }
  return Buffer.from(merged.size === 0 ? '' : `${encodeYaml(merged)}\n`);
}
