// Owns indexes of chart repositories as files: reading a downloaded one, writing it in our own form, and the table that
// says where each chart stands in it, so that looking up a chart reads that chart alone.
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { type ChartVersion, chooseVersion, noSuchChart } from '../../engines/helm/repository/choose.ts';
import { readIndex } from '../../engines/helm/repository/entries.ts';
import { splitJsonIndex } from '../../engines/helm/repository/split-json.ts';
import type { JsonValue } from '../../lib/json.ts';

/** Where the versions of each chart stand in an index file: names, and start and end of each in turn. */
export interface IndexTable {
  readonly names: readonly string[];
  readonly offsets: Float64Array;
}

/** What to read and where to write. Plain data: it crosses to a worker. */
export interface IndexFileInput {
  /** The downloaded index, YAML or JSON. */
  readonly path: string;
  /** Where our form of it goes. */
  readonly output: string;
}

/** What was written. */
export interface IndexFileOutput {
  /** `sha256:<hex>` of the file. */
  readonly digest: string;
  readonly size: number;
}

const BATCH_BYTES = 256 * 1024;

/** Writes an index as JSON, a line per version. Throws RepositoryError. */
export async function writeIndexFile({ path, output }: IndexFileInput): Promise<IndexFileOutput> {
  const charts = readIndex(await readFile(path));
  const file = await open(output, 'wx', 0o600);
  const hash = createHash('sha256');
  let size = 0;
  let batch: string[] = [];
  let pending = 0;
  const flush = async (): Promise<void> => {
    const bytes = Buffer.from(batch.join(''));
    batch = [];
    pending = 0;
    hash.update(bytes);
    size += bytes.length;
    await file.write(bytes);
  };
  const put = async (text: string): Promise<void> => {
    batch.push(text);
    pending += text.length;
    if (pending >= BATCH_BYTES) await flush();
  };
  try {
    await put('{"apiVersion":"v1","entries":{');
    for (const [index, { name, versions }] of charts.entries()) {
      await put(`${index === 0 ? '' : ','}\n${JSON.stringify(name)}:[`);
      for (const [place, version] of versions.entries()) await put(`${place === 0 ? '' : ','}\n${version}`);
      await put(']');
    }
    await put('\n}}\n');
    await flush();
    await file.sync();
  } finally {
    await file.close();
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** The table of an index file of ours. Throws RepositoryError. */
export async function readIndexTable({ path }: { readonly path: string }): Promise<IndexTable> {
  const { charts } = splitJsonIndex(await readFile(path));
  const offsets = new Float64Array(charts.length * 2);
  for (const [index, { start, end }] of charts.entries()) offsets.set([start, end], index * 2);
  return { names: charts.map(({ name }) => name), offsets };
}

/** Which version of which chart, and where its versions stand. */
export interface FindVersionInput {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** Version or range. */
  readonly wanted: string;
}

/** The version of a chart that is wanted. Throws RepositoryError `ChartUnknown`. */
export async function findVersion({ path, start, end, name, wanted }: FindVersionInput): Promise<ChartVersion> {
  if (end <= start) throw noSuchChart();
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(end - start);
    await file.read(bytes, 0, bytes.length, start);
    return chooseVersion(name, JSON.parse(bytes.toString('utf8')) as JsonValue, wanted);
  } finally {
    await file.close();
  }
}
