// Owns loading a chart from a .tgz: which entries are let in, how large it may unpack, nested archives included.
// What the files mean is chart.ts.
import { posix } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { errorCode } from '../../lib/errors.ts';
import { goQuote } from '../../lib/goquote.ts';
import { parseTar, type RawTarEntry } from '../../lib/tar-entries.ts';
import { type ArchiveReader, type Chart, type ChartFile, createChart, type LoadOptions } from './chart.ts';
import { HelmError } from './errors.ts';

/** The largest file of a chart, and the most that an archive with all that is nested in it may unpack to. */
export const MAX_FILE_BYTES = 5 * 1024 * 1024;
const MAX_UNPACKED_BYTES = 100 * 1024 * 1024;
const MAX_ENTRIES = 20_000;
const MAX_ARCHIVES = 256;
const MAX_DEPTH = 64;

/** Loads a chart from the bytes of its .tgz. Throws HelmError `ChartInvalid` or TarError. */
export function loadChartArchive(data: Uint8Array, options: LoadOptions = {}): Chart {
  const read = archiveReader();
  return createChart(read(data), read, options);
}

/** A reader whose size limit spans all archives that it reads. */
export function archiveReader(): ArchiveReader {
  let left = MAX_UNPACKED_BYTES;
  let archives = 0;
  return (data) => {
    if (++archives > MAX_ARCHIVES) throw invalid('chart holds too many archives');
    const files: ChartFile[] = [];
    for (const entry of parseTar(unzip(data, left))) {
      const file = toChartFile(entry);
      if (file === undefined) continue;
      left -= file.data.length;
      if (left <= 0) throw tooLarge();
      if (files.push(file) > MAX_ENTRIES) throw invalid(`chart has more than ${MAX_ENTRIES} files`);
    }
    if (files.length === 0) throw invalid('no files in chart archive');
    return files;
  };
}

function unzip(data: Uint8Array, left: number): Uint8Array {
  try {
    // Headers and padding come on top of the files themselves.
    return gunzipSync(data, { maxOutputLength: left + MAX_ENTRIES * 1024 });
  } catch (error) {
    if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    const isHeader = data.length >= 10 && (data[0] !== 0x1f || data[1] !== 0x8b);
    throw new HelmError('ChartInvalid', isHeader ? 'gzip: invalid header' : 'unexpected EOF', {}, { cause: error });
  }
}

/** The file an entry stands for, named below the archive's top folder; undefined for a folder. */
function toChartFile(entry: RawTarEntry): ChartFile | undefined {
  if (entry.kind === 'dir') return undefined;
  // Archives made on Windows may separate with backslashes.
  const separator = entry.name.includes('\\') ? '\\' : '/';
  const [top, ...rest] = entry.name.split(separator);
  const inner = rest.join('/');
  if (inner.startsWith('/')) throw invalid('chart illegally contains absolute paths');
  const name = posix.normalize(inner).replace(/(?<=.)\/$/, '');
  if (name === '.') {
    throw invalid(`chart illegally contains content outside the base directory: ${goQuote(entry.name)}`);
  }
  if (name.startsWith('..')) throw invalid('chart illegally references parent directory');
  if (/^[a-zA-Z]:\//.test(name)) throw invalid('chart contains illegally named files');
  if (name.split('/').length > MAX_DEPTH) throw invalid('chart holds paths that are nested too deep');
  if (top === 'Chart.yaml') throw invalid('chart yaml not in base directory');
  if (entry.data.length > MAX_FILE_BYTES) {
    const text = `decompressed chart file ${goQuote(entry.name)} is larger than the maximum file size ${MAX_FILE_BYTES}`;
    throw invalid(text);
  }
  return { name, data: withoutBom(entry.data) };
}

/** Drops a UTF-8 byte order mark. */
export function withoutBom(data: Uint8Array): Uint8Array {
  return data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data;
}

function tooLarge(): HelmError {
  return invalid(`decompressed chart is larger than the maximum file size ${MAX_UNPACKED_BYTES}`);
}

function invalid(message: string): HelmError {
  return new HelmError('ChartInvalid', message, {});
}
