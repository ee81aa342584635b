// Owns printing specs as the API server's own types: fields in the order of the Go structs, with what is not set. The data
// is internal-types.generated.json (test/generate/internal-types.ts).
import { readFileSync } from 'node:fs';
import { unifiedDiff } from '../../lib/difflib.ts';
import { isRecord } from '../object.ts';

interface Field {
  /** '' for an embedded struct. */
  readonly name: string;
  readonly type: string;
}

let data: Readonly<Record<string, string>> | undefined;

function fieldsOf(type: string): readonly Field[] {
  const url = new URL('./internal-types.generated.json', import.meta.url);
  data ??= (JSON.parse(readFileSync(url, 'utf8')) as { types: Record<string, string> }).types;
  return data[type]!.split(' ').map((part) => {
    const [name = '', of = ''] = part.split(':');
    return { name, type: of };
  });
}

/** What basic types are when they are not set; a quantity prints as a text. */
const ZERO: Readonly<Record<string, unknown>> = { text: '', number: 0, flag: false, quantity: '0' };

/** A value in Go's form. Fields are found by their names in any case: those are how JSON and Go differ. */
function toGo(type: string, value: unknown): unknown {
  if (type === '=') return value ?? null;
  if (type.startsWith('*')) return value === undefined || value === null ? null : toGo(type.slice(1), value);
  if (type.startsWith('[]')) return Array.isArray(value) ? value.map((item) => toGo(type.slice(2), item)) : null;
  if (type.startsWith('{}')) {
    if (!isRecord(value)) return null;
    const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([key, item]) => [key, toGo(type.slice(2), item)]));
  }
  if (Object.hasOwn(ZERO, type)) return value ?? ZERO[type];
  const given = new Map(Object.entries(isRecord(value) ? value : {}).map(([key, item]) => [key.toLowerCase(), item]));
  const out: Record<string, unknown> = {};
  for (const { name, type: of } of fieldsOf(type)) {
    if (name === '') Object.assign(out, toGo(of, value));
    else out[name] = toGo(of, given.get(name.toLowerCase()));
  }
  return out;
}

/** Fields of a pod's spec that the API server keeps in its security context. */
const OF_HOST = ['hostNetwork', 'hostPID', 'hostIPC', 'hostUsers', 'shareProcessNamespace'];

function internalPod(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const host = Object.fromEntries(OF_HOST.filter((field) => field in spec).map((field) => [field, spec[field]]));
  const context = isRecord(spec['securityContext']) ? spec['securityContext'] : {};
  return { ...spec, securityContext: { ...context, ...host } };
}

/** Go's encoder writes these so that a text may stand in HTML. */
function forHtml(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** How a spec differs from the former one, in the words of the API server's messages. */
export function specDiff(
  type: 'PodSpec' | 'PersistentVolumeClaimSpec',
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string {
  const print = (spec: Readonly<Record<string, unknown>>): string =>
    forHtml(JSON.stringify(toGo(type, type === 'PodSpec' ? internalPod(spec) : spec), null, 1));
  return unifiedDiff(print(before), print(now));
}
