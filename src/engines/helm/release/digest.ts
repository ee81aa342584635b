// Owns the digests by which a release, its values and parts of a spec are known again (helm.md §21.6): byte for byte those
// that Flux writes into status, so that a release may move from one to the other without being released again.
import { createHash } from 'node:crypto';
import { formatGoJson } from '../../../lib/gojson.ts';
import { toCanonicalYaml } from '../../../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import { hookJson, infoJson } from './encode.ts';
import type { ReleaseRecord } from './record.ts';

/** `sha256:<hex>` of what a release is. Runs of test hooks do not change it: they may be repeated by hand. */
export function digestRelease(release: ReleaseRecord, ociDigest = ''): string {
  const { name, version, info, chart, config, manifest, namespace } = release;
  const hooks = release.hooks.filter((hook) => !hook.events.includes('test'));
  return digestJson(
    jsonMap([
      ['name', formatGoJson(name)],
      ['version', formatGoJson(version)],
      ['info', formatGoJson(infoJson(info))],
      ['chartMetadata', toText(chart.metadata, METADATA)],
      ['config', Object.keys(config).length === 0 ? 'null' : toText(config, TEXT)],
      ['manifest', formatGoJson(manifest)],
      ['hooks', hooks.length === 0 ? 'null' : formatGoJson(hooks.map(hookJson))],
      ['namespace', formatGoJson(namespace)],
      ...(ociDigest === '' ? [] : [['ociDigest', formatGoJson(ociDigest)] as const]),
    ]),
  );
}

/** `sha256:<hex>` of values as canonical YAML; of nothing when there are none. */
export function digestValues(values: JsonObject): string {
  return sha256(Object.keys(values).length === 0 ? '' : toCanonicalYaml(values));
}

/** `sha256:<hex>` of `spec.postRenderers`; '' when it is absent. */
export function digestPostRenderers(value: JsonValue | undefined): string {
  return value === undefined ? '' : digestJson(toText(value, POST_RENDERERS));
}

/** `sha256:<hex>` of `spec.commonMetadata`; '' when it is absent. */
export function digestCommonMetadata(value: JsonValue | undefined): string {
  return value === undefined ? '' : digestJson(toText(value, COMMON_METADATA));
}

/**
 * The fields of a Go struct in its order; empty ones are left out but for those marked `!`. `TEXT` stands for anything,
 * which is written with sorted keys.
 */
interface Struct {
  readonly [field: string]: Shape;
}
type Shape = typeof TEXT | Struct | readonly [Struct | typeof TEXT];
const TEXT = 'any';

const METADATA: Struct = {
  name: TEXT,
  home: TEXT,
  sources: TEXT,
  version: TEXT,
  description: TEXT,
  keywords: TEXT,
  maintainers: [{ name: TEXT, email: TEXT, url: TEXT }],
  icon: TEXT,
  apiVersion: TEXT,
  condition: TEXT,
  tags: TEXT,
  appVersion: TEXT,
  deprecated: TEXT,
  annotations: TEXT,
  kubeVersion: TEXT,
  dependencies: [
    {
      'name!': TEXT,
      version: TEXT,
      'repository!': TEXT,
      condition: TEXT,
      tags: TEXT,
      enabled: TEXT,
      'import-values': TEXT,
      alias: TEXT,
    },
  ],
  type: TEXT,
};

const COMMON_METADATA: Struct = { annotations: TEXT, labels: TEXT };

const TARGET: Struct = {
  group: TEXT,
  version: TEXT,
  kind: TEXT,
  namespace: TEXT,
  name: TEXT,
  annotationSelector: TEXT,
  labelSelector: TEXT,
};

const POST_RENDERERS: readonly [Struct] = [
  {
    kustomize: {
      patches: [{ 'patch!': TEXT, target: TARGET }],
      images: [{ 'name!': TEXT, newName: TEXT, newTag: TEXT, digest: TEXT }],
      // Older versions of the kind; Flux's own type has them no longer.
      patchesStrategicMerge: TEXT,
      patchesJson6902: TEXT,
    },
  },
];

/** The value as Go writes it. Objects of ours would move keys that are numbers to the front. */
function toText(value: JsonValue, shape: Shape): string {
  if (Array.isArray(value)) {
    const items = isList(shape) ? shape[0] : TEXT;
    return `[${value.map((item: JsonValue) => toText(item, items)).join(',')}]`;
  }
  if (!isJsonObject(value)) return formatGoJson(value);
  if (shape === TEXT || isList(shape)) {
    // Go writes maps with their keys in the order of their bytes.
    const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return jsonMap(keys.map((key) => [key, toText(value[key]!, TEXT)]));
  }
  return jsonMap(
    Object.entries(shape).flatMap(([mark, inner]): [string, string][] => {
      const name = mark.replace('!', '');
      const found = Object.hasOwn(value, name) ? value[name]! : undefined;
      // A struct behind a pointer is written even when it is empty.
      const isKept = name !== mark || (isJsonObject(found) && isStruct(inner)) || !isEmpty(found);
      return isKept ? [[name, toText(found ?? '', inner)]] : [];
    }),
  );
}

function jsonMap(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([key, text]) => `${formatGoJson(key)}:${text}`).join(',')}}`;
}

function isList(shape: Shape): shape is readonly [Struct | typeof TEXT] {
  return Array.isArray(shape);
}

function isStruct(shape: Shape): boolean {
  return shape !== TEXT && !isList(shape);
}

function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
}

function digestJson(text: string): string {
  return sha256(`${text}\n`);
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
