// Owns collecting the key-value pairs of generators: env files, literals and files, in that order.
import { posix } from 'node:path';
import { goQuote } from '../../../lib/goquote.ts';
import { buildError, withPrefix } from '../errors.ts';
import { decodeUtf8 } from './configmap-data.ts';
import type { GeneratorArgs } from './kustomization-fields.ts';

type Pair = readonly [key: string, value: Uint8Array];
type Load = (path: string) => Uint8Array;

/** All pairs of a generator by key. Throws when a key comes twice. */
export function loadPairs(args: GeneratorArgs, load: Load): ReadonlyMap<string, Uint8Array> {
  const pairs = withPrefix('loading KV pairs', () => [
    ...withPrefix(`env source files: ${list(args.envs)}`, () => args.envs.flatMap((path) => envPairs(load(path)))),
    ...withPrefix(`literal sources ${list(args.literals)}`, () => args.literals.map(literalPair)),
    ...withPrefix(`file sources: ${list(args.files)}`, () => args.files.map((source) => filePair(source, load))),
  ]);
  const result = new Map<string, Uint8Array>();
  for (const [key, value] of pairs) {
    // The reference says configmap for secrets too.
    if (result.has(key)) throw buildError(`configmap ${args.name} illegally repeats the key \`${key}\``);
    result.set(key, value);
  }
  return result;
}

/** Go's `%v` of a list of strings. */
function list(items: readonly string[]): string {
  return `[${items.join(' ')}]`;
}

function literalPair(source: string): Pair {
  const equals = source.indexOf('=');
  if (equals <= 0) throw buildError(`invalid literal source ${source}, expected key=value`);
  return [source.slice(0, equals), Buffer.from(unquote(source.slice(equals + 1)), 'utf8')];
}

/** Takes one pair of equal quotes off. */
function unquote(text: string): string {
  const first = text[0];
  if (text.length < 2 || first !== text.at(-1)) return text;
  return first === '"' || first === "'" ? text.slice(1, -1) : text;
}

function filePair(source: string, load: Load): Pair {
  const parts = source.split('=');
  if (parts.length === 1) return [posix.basename(source) || '.', load(source)];
  if (parts.length > 2) throw buildError(`source ${goQuote(source)} key name or file path contains '='`);
  const [key, path] = parts as [string, string];
  if (key === '') throw buildError(`missing key name for file path ${goQuote(path)} in source ${goQuote(source)}`);
  if (path === '') throw buildError(`missing file path for key name ${goQuote(key)} in source ${goQuote(source)}`);
  return [key, load(path)];
}

const LINE_FEED = 0x0a;
/** Go's scanner gives up at a line that does not fit its buffer, without a word. */
const MAX_LINE = 64 * 1024;
const BOM = '\ufeff';

function envPairs(content: Uint8Array): Pair[] {
  const pairs: Pair[] = [];
  let first = true;
  for (const line of envLines(content)) {
    const pair = envPair(line, first);
    if (pair !== undefined) pairs.push(pair);
    first = false;
  }
  return pairs;
}

function* envLines(content: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < content.length; ) {
    const found = content.indexOf(LINE_FEED, start);
    const end = found < 0 ? content.length : found;
    if (end - start >= MAX_LINE) return;
    yield content[end - 1] === 0x0d && end > start ? content.subarray(start, end - 1) : content.subarray(start, end);
    start = end + 1;
  }
}

function envPair(line: Uint8Array, first: boolean): Pair | undefined {
  const decoded = decodeUtf8(line);
  if (decoded === undefined) {
    const text = Buffer.from(line).toString('utf8');
    throw buildError(`line [${[...line].join(' ')}] has invalid utf8 bytes : ${text}`);
  }
  const unmarked = first && decoded.startsWith(BOM) ? decoded.slice(1) : decoded;
  const text = unmarked.replace(/^[\t\n\v\f\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/, '');
  if (text === '' || text.startsWith('#')) return undefined;
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  if (key === '') return undefined;
  return [key, Buffer.from(equals < 0 ? '' : text.slice(equals + 1), 'utf8')];
}
