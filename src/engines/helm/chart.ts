// Owns the chart as data: what its files mean, its subcharts, and the working copy that one render may change.
// Where the files come from is folder.ts and archive.ts; which subcharts take part is dependencies.ts.
import { fromBytes } from '../../lang/gotemplate/gostring.ts';
import { compareStrings } from '../../lang/gotemplate/value.ts';
import type { Compat } from './compat.ts';
import { HelmError, wrapError } from './errors.ts';
import { decodeYaml } from './internal/decode.ts';
import {
  type Dependency,
  type Lock,
  lockDecoder,
  type Metadata,
  metadataDecoder,
  validateMetadata,
} from './metadata.ts';
import type { Table } from './table.ts';
import { parseValues } from './values-file.ts';

/** A file of a chart; the name is relative to the chart, with slashes. */
export interface ChartFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** A template: its name within the chart and its text. */
export interface ChartTemplate {
  readonly name: string;
  readonly text: string;
}

/**
 * A chart and its subcharts. One that was loaded is not to be changed: `copyChart` makes the copy which a render
 * renames (aliases), prunes (conditions) and gives imported values.
 */
export interface Chart {
  metadata: Metadata;
  readonly templates: readonly ChartTemplate[];
  /** Files that are neither templates nor special, in the order they were loaded. */
  readonly files: readonly ChartFile[];
  /** Defaults from values.yaml. */
  values: Table;
  readonly schema: Uint8Array | undefined;
  /** Chart.lock, or requirements.lock of the first format. */
  readonly lock: Lock | undefined;
  subcharts: Chart[];
  parent: Chart | undefined;
}

/** What loading needs to know and to tell. */
export interface LoadOptions {
  /** @default 'helm3' */
  readonly compat?: Compat;
  /** Gets each of Helm's warnings. */
  readonly warn?: (text: string) => void;
}

/** Reads an archive that lies in charts/; handed in by archive.ts, which imports this file. */
export type ArchiveReader = (data: Uint8Array) => ChartFile[];

/**
 * Makes a chart of its files, subcharts in charts/ included.
 * Throws HelmError `ChartInvalid` with Helm's texts.
 */
export function createChart(files: readonly ChartFile[], readArchive: ArchiveReader, options: LoadOptions = {}): Chart {
  const { read, members, ...rest } = sortFiles(files, options);
  if (read === undefined) throw new HelmError('ChartInvalid', 'Chart.yaml file is missing', {});
  const chart: Chart = { metadata: validateMetadata(read), ...rest, subcharts: [], parent: undefined };
  for (const name of [...members.keys()].sort(compareStrings)) {
    if (name.startsWith('_') || name.startsWith('.')) continue;
    addSubchart(chart, createSubchart(chart, name, members.get(name)!, readArchive, options));
  }
  return chart;
}

function createSubchart(
  parent: Chart,
  name: string,
  members: readonly ChartFile[],
  readArchive: ArchiveReader,
  options: LoadOptions,
): Chart {
  const parentName = parent.metadata.name;
  const isArchive = /^.*\.tgz$/s.test(name);
  const [first] = members;
  if (isArchive && first !== undefined && first.name !== name) {
    const text = `error unpacking subchart tar in ${parentName}: expected ${name}, got ${first.name}`;
    throw new HelmError('ChartInvalid', text, {});
  }
  try {
    const files = isArchive ? readArchive(first!.data) : members.flatMap(belowFirstFolder);
    return createChart(files, readArchive, options);
  } catch (error) {
    throw wrapError('ChartInvalid', `error unpacking subchart ${name} in ${parentName}`, error);
  }
}

function belowFirstFolder(file: ChartFile): ChartFile[] {
  const slash = file.name.indexOf('/');
  return slash < 0 ? [] : [{ name: file.name.slice(slash + 1), data: file.data }];
}

/** The files of a chart by what they are; those below charts/ by their first path segment there. */
interface Sorted extends Pick<Chart, 'templates' | 'files' | 'values' | 'schema' | 'lock'> {
  readonly read: ReadMetadata | undefined;
  readonly members: ReadonlyMap<string, ChartFile[]>;
}

type ReadMetadata = ReturnType<typeof metadataDecoder.read>;

function sortFiles(files: readonly ChartFile[], options: LoadOptions): Sorted {
  const warn = options.warn ?? (() => {});
  let read = readChartYaml(files);
  let values: Table = new Map();
  let schema: Uint8Array | undefined;
  let lock: Lock | undefined;
  const templates: ChartTemplate[] = [];
  const others: ChartFile[] = [];
  const members = new Map<string, ChartFile[]>();
  for (const file of files) {
    const { name, data } = file;
    if (name === 'Chart.yaml') continue;
    if (name === 'Chart.lock') lock = readLock(file);
    else if (name === 'values.yaml') values = loading(name, () => parseValues(toText(data), options.compat ?? 'helm3'));
    else if (name === 'values.schema.json') schema = data;
    else if (name === 'requirements.yaml' || name === 'requirements.lock') {
      if (name === 'requirements.lock') lock = readLock(file);
      read = readRequirements(file, read, warn);
      if (read.apiVersion === 'v1') others.push(file);
    } else if (name.startsWith('templates/')) templates.push({ name, text: fromBytes(data) });
    else if (name.startsWith('charts/') && !name.endsWith('.prov')) {
      const inner = name.slice('charts/'.length);
      const [folder = ''] = inner.split('/');
      const siblings = members.get(folder);
      if (siblings === undefined) members.set(folder, [{ name: inner, data }]);
      else siblings.push({ name: inner, data });
    } else others.push(file);
  }
  return { read, templates, files: others, values, schema, lock, members };
}

/**
 * What Chart.yaml says, and requirements.yaml where dependencies still stand there, without loading the chart.
 * Throws HelmError `ChartInvalid`.
 */
export function readChartMetadata(files: readonly ChartFile[]): Metadata {
  const chartYaml = readChartYaml(files);
  if (chartYaml === undefined) throw new HelmError('ChartInvalid', 'Chart.yaml file is missing', {});
  const requirements = files.find(({ name }) => name === 'requirements.yaml');
  const read = requirements === undefined ? chartYaml : readRequirements(requirements, chartYaml, () => {});
  return validateMetadata(read);
}

/** The dependencies of Chart.lock (requirements.lock), exact versions; undefined where there is no lock. */
export function readChartLock(files: readonly ChartFile[]): Dependency[] | undefined {
  const lock =
    files.find(({ name }) => name === 'Chart.lock') ?? files.find(({ name }) => name === 'requirements.lock');
  if (lock === undefined) return undefined;
  const { dependencies } = loading(lock.name, () => decodeYaml(toText(lock.data), lockDecoder));
  return (dependencies ?? []).filter((dependency) => dependency !== null);
}

function readChartYaml(files: readonly ChartFile[]): ReadMetadata | undefined {
  const file = files.findLast((each) => each.name === 'Chart.yaml');
  if (file === undefined) return undefined;
  const read = loading(file.name, () => decodeYaml(toText(file.data), metadataDecoder));
  // Charts of Helm 2 state no version of the format.
  if (read.apiVersion === '') read.apiVersion = 'v1';
  return read;
}

function readLock({ name, data }: ChartFile): Lock {
  return loading(name, () => decodeYaml(toText(data), lockDecoder));
}

/** The files in which charts of the first format kept their dependencies. */
function readRequirements(
  file: ChartFile,
  before: ReadMetadata | undefined,
  warn: (text: string) => void,
): ReadMetadata {
  const read = before ?? metadataDecoder.zero;
  const isV1 = read.apiVersion === 'v1';
  if (file.name === 'requirements.lock') {
    if (!isV1) {
      warn(
        'Warning: Dependency locking is handled in Chart.lock since apiVersion "v2". We recommend migrating to Chart.lock.',
      );
    }
    return read;
  }
  if (!isV1) {
    warn(
      'Warning: Dependencies are handled in Chart.yaml since apiVersion "v2". We recommend migrating dependencies to Chart.yaml.',
    );
  }
  const stated = loading(file.name, () => decodeYaml(toText(file.data), metadataDecoder));
  // The file is read over Chart.yaml's fields: whatever it states wins.
  const present = Object.entries(stated).filter(([, value]) => value !== undefined && value !== '' && value !== false);
  return { ...read, ...Object.fromEntries(present) };
}

function loading<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw wrapError('ChartInvalid', `cannot load ${name}`, error);
  }
}

function toText(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8');
}

/** Puts a chart below another. */
export function addSubchart(parent: Chart, chart: Chart): void {
  chart.parent = parent;
  parent.subcharts.push(chart);
}

/** A chart that a render may change: metadata and structure are copied, files and defaults are shared. */
export function copyChart(chart: Chart): Chart {
  const copy: Chart = {
    ...chart,
    metadata: { ...chart.metadata, dependencies: chart.metadata.dependencies?.map((each) => ({ ...each })) },
    subcharts: [],
    parent: undefined,
  };
  for (const subchart of chart.subcharts) addSubchart(copy, copyChart(subchart));
  return copy;
}

/** Where the chart stands from the root chart on: `root/charts/sub`. */
export function chartPath(chart: Chart): string {
  return chart.parent === undefined ? chart.metadata.name : `${chartPath(chart.parent)}/charts/${chart.metadata.name}`;
}

/** A file below crds/. */
export interface CrdFile {
  /** Full path from the root chart's name on. */
  readonly path: string;
  readonly text: string;
}

/** The CRD files of a chart, then of its subcharts. */
export function listCrds(chart: Chart): CrdFile[] {
  const own = chart.files
    .filter(({ name }) => name.startsWith('crds/') && /\.(?:yaml|yml|json)$/i.test(name))
    .map(({ name, data }) => ({ path: `${chartPath(chart)}/${name}`, text: fromBytes(data) }));
  return [...own, ...chart.subcharts.flatMap(listCrds)];
}
