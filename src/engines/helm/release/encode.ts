// Owns the text of a stored release: Helm's JSON, gzip, base64 (helm.md §19). What the fields mean is record.ts.
import { gunzipSync, gzipSync } from 'node:zlib';
import { CodedError, errorMessage } from '../../../lib/errors.ts';
import { formatGoJson } from '../../../lib/gojson.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../../lib/json.ts';
import type { HookEvent } from '../manifests.ts';
import {
  type ChartRecord,
  type HookExecution,
  type HookRecord,
  isPending,
  type ReleaseInfo,
  type ReleaseRecord,
  type ReleaseStatus,
} from './record.ts';

/** A stored release that cannot be read. */
export class ReleaseError extends CodedError<'ReleaseInvalid', { readonly size: number }> {}

/** A Secret holds at most 1 MiB: a record that unpacks to more than this is none that Helm could have stored. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** The value of `data.release`, before Kubernetes' own base64. */
export function encodeRelease(release: ReleaseRecord): string {
  // Helm compresses as well as it can, which takes 5 ms for a small chart. What is pending is soon written anew.
  const level = isPending(release.info.status) ? 1 : 9;
  return gzipSync(formatGoJson(toJson(release)), { level }).toString('base64');
}

/** Reads what `encodeRelease` or any Helm since 3.0 wrote. Throws `ReleaseError`. */
export function decodeRelease(text: string, labels: ReleaseRecord['labels'] = {}): ReleaseRecord {
  const bytes = Buffer.from(text, 'base64');
  let value: JsonValue;
  try {
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 0x08;
    const json = isPacked ? gunzipSync(bytes, { maxOutputLength: MAX_JSON_BYTES }) : bytes;
    value = parseJson(json.toString('utf8'));
  } catch (error) {
    const message = `the stored release cannot be read: ${errorMessage(error)}`;
    throw new ReleaseError('ReleaseInvalid', message, { size: bytes.length }, { cause: error });
  }
  if (!isJsonObject(value)) {
    throw new ReleaseError('ReleaseInvalid', 'the stored release is no object', { size: bytes.length });
  }
  return fromJson(value, labels);
}

/** The record as Go marshals it: fields in the order of the struct, empty ones left out. */
function toJson(release: ReleaseRecord): JsonObject {
  const { name, info, chart, config, manifest, hooks, version, namespace, apply_method } = release;
  return {
    name,
    info: infoJson(info),
    chart,
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...(manifest === '' ? {} : { manifest }),
    ...(hooks.length === 0 ? {} : { hooks: hooks.map(hookJson) }),
    version,
    namespace,
    ...(apply_method === undefined ? {} : { apply_method }),
  };
}

/** `info` in Go's order of fields. */
export function infoJson(info: ReleaseInfo): JsonObject {
  const { first_deployed, last_deployed, deleted, description, status, notes } = info;
  return present({ first_deployed, last_deployed, deleted, description, status, notes });
}

/** A hook in Go's order of fields. */
export function hookJson(hook: HookRecord): JsonObject {
  const { name, kind, path, manifest, events, last_run, weight, delete_policies, output_log_policies } = hook;
  const { started_at, completed_at, phase } = last_run;
  return {
    ...present({ name, kind, path, manifest, events: events as readonly string[] }),
    last_run: { ...present({ started_at, completed_at }), phase },
    ...present({ weight: weight === 0 ? undefined : weight, delete_policies, output_log_policies }),
  };
}

function present(fields: { readonly [name: string]: JsonValue | undefined }): JsonObject {
  const entries = Object.entries(fields).filter(
    ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(entries) as JsonObject;
}

function fromJson(value: JsonObject, labels: ReleaseRecord['labels']): ReleaseRecord {
  const method = value['apply_method'];
  const chart = objectOf(value['chart']);
  return {
    name: textOf(value['name']),
    info: readInfo(objectOf(value['info'])),
    chart: { ...chart, metadata: objectOf(chart['metadata']) } as ChartRecord,
    config: objectOf(value['config']),
    manifest: textOf(value['manifest']),
    hooks: listOf(value['hooks']).filter(isJsonObject).map(readHook),
    version: Number(value['version'] ?? 0),
    namespace: textOf(value['namespace']),
    ...(method === 'ssa' || method === 'csa' ? { apply_method: method } : {}),
    labels,
  };
}

function readInfo(info: JsonObject): ReleaseInfo {
  return {
    ...times(info, ['first_deployed', 'last_deployed', 'deleted']),
    ...(textOf(info['description']) === '' ? {} : { description: textOf(info['description']) }),
    status: (textOf(info['status']) || 'unknown') as ReleaseStatus,
    ...(textOf(info['notes']) === '' ? {} : { notes: textOf(info['notes']) }),
  };
}

function readHook(hook: JsonObject): HookRecord {
  const run = objectOf(hook['last_run']);
  const weight = Number(hook['weight'] ?? 0);
  const policies = texts(hook['delete_policies']);
  const logs = texts(hook['output_log_policies']);
  return {
    name: textOf(hook['name']),
    kind: textOf(hook['kind']),
    path: textOf(hook['path']),
    manifest: textOf(hook['manifest']),
    events: texts(hook['events']) as HookEvent[],
    last_run: { ...times(run, ['started_at', 'completed_at']), phase: textOf(run['phase']) as HookExecution['phase'] },
    ...(weight === 0 ? {} : { weight }),
    ...(policies.length === 0 ? {} : { delete_policies: policies }),
    ...(logs.length === 0 ? {} : { output_log_policies: logs }),
  };
}

/** Times that are there, as Go writes them: Helm 3 writes a zero time as `""`, older ones as the year 1. */
function times(value: JsonObject, names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, goTime(textOf(value[name]))] as const);
  return Object.fromEntries(found.filter(([, time]) => time !== '' && !time.startsWith('0001-01-01T')));
}

/** An RFC 3339 time without zeros at the end of its fraction, and without a fraction of zeros. */
export function goTime(text: string): string {
  return text.replace(/(\.\d*?)0+(?=[Z+-])/, '$1').replace(/\.(?=[Z+-])/, '');
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: JsonValue | undefined): string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}
