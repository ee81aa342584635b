// Owns what becomes of rendered text: splitting into documents, telling hooks from manifests, install order. Printing
// them as `helm template` does is output.ts.

import { compareStrings } from '../../lang/gotemplate/value.ts';
import { goQuote } from '../../lib/goquote.ts';
import { fromYaml } from '../../lib/goyaml/sigs.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { Compat } from './compat.ts';
import { wrapError } from './errors.ts';
import { parseSafeInteger } from './internal/atoi.ts';
import { type Decoded, decodeValue, dictionary, nullable, struct, text } from './internal/decode.ts';
import { trimSpace, trimStart } from './internal/space.ts';

/** One YAML document that a template wrote. */
export interface Manifest {
  /** Path of the template, from the root chart's name on. */
  readonly path: string;
  /** The document as written. */
  readonly text: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** The document parsed; null for one of comments only. */
  readonly value: JsonValue;
}

export type HookEvent =
  | 'pre-install'
  | 'post-install'
  | 'pre-delete'
  | 'post-delete'
  | 'pre-upgrade'
  | 'post-upgrade'
  | 'pre-rollback'
  | 'post-rollback'
  | 'test';

/** A document that runs at certain events instead of being installed. */
export interface Hook extends Manifest {
  readonly events: readonly HookEvent[];
  readonly weight: number;
  /** Words of `helm.sh/hook-delete-policy`, unjudged; none means before-hook-creation. */
  readonly deletePolicies: readonly string[];
  readonly outputLogPolicies: readonly string[];
}

const EVENTS = new Map<string, HookEvent>([
  ['pre-install', 'pre-install'],
  ['post-install', 'post-install'],
  ['pre-delete', 'pre-delete'],
  ['post-delete', 'post-delete'],
  ['pre-upgrade', 'pre-upgrade'],
  ['post-upgrade', 'post-upgrade'],
  ['pre-rollback', 'pre-rollback'],
  ['post-rollback', 'post-rollback'],
  ['test', 'test'],
  // Helm 2's word.
  ['test-success', 'test'],
]);

const INSTALL_ORDER = [
  'PriorityClass',
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];
const WEBHOOKS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Kinds in the order in which they are installed; all others come after them, by name. */
export function installOrder(compat: Compat): readonly string[] {
  return compat === 'helm3' ? INSTALL_ORDER : [...INSTALL_ORDER, ...WEBHOOKS];
}

const metadata = struct(
  '',
  'struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }',
  { name: text, annotations: dictionary(text) },
);

function headDecoder(packageName: string) {
  return struct('SimpleHead', `${packageName}.SimpleHead`, {
    apiVersion: text,
    kind: text,
    metadata: nullable(metadata),
  });
}

/** What is read of every document, under the name that each Helm has for it. */
const HEAD = { helm3: headDecoder('releaseutil'), helm4: headDecoder('util') } as const;

/** Manifests and hooks, each in install order. */
export interface SortedManifests {
  readonly manifests: readonly Manifest[];
  readonly hooks: readonly Hook[];
}

/** What sorting needs to know and to tell. */
export interface SortOptions {
  readonly compat: Compat;
  readonly warn: (text: string) => void;
}

/**
 * Splits rendered files (path → text) into documents and sorts them by kind, then path, then place in the file.
 * Throws HelmError `ManifestInvalid` for a document that is no YAML or no object.
 */
export function sortManifests(files: ReadonlyMap<string, string>, options: SortOptions): SortedManifests {
  const manifests: Manifest[] = [];
  const hooks: Hook[] = [];
  for (const path of [...files.keys()].sort(compareStrings)) {
    if (path.slice(path.lastIndexOf('/') + 1).startsWith('_')) continue;
    for (const document of splitManifests(files.get(path)!, options.compat)) {
      const { manifest, annotations } = parseManifest(path, document, options.compat);
      const events = annotations?.get('helm.sh/hook');
      if (events === undefined) manifests.push(manifest);
      else addHook(hooks, manifest, events, annotations!, options.warn);
    }
  }
  const rank = new Map(installOrder(options.compat).map((kind, index) => [kind, index]));
  const byKind = (a: Manifest, b: Manifest) => compareKinds(rank, a.kind, b.kind);
  return { manifests: manifests.sort(byKind), hooks: hooks.sort(byKind) };
}

function compareKinds(rank: ReadonlyMap<string, number>, a: string, b: string): number {
  const [first, second] = [rank.get(a), rank.get(b)];
  if (first === undefined && second === undefined) return compareStrings(a, b);
  if (first === undefined) return 1;
  return second === undefined ? -1 : first - second;
}

function parseManifest(
  path: string,
  document: string,
  compat: Compat,
): { manifest: Manifest; annotations?: ReadonlyMap<string, string> | undefined } {
  let value: JsonValue;
  let read: Decoded<typeof HEAD.helm3>;
  try {
    value = fromYaml(document);
    read = decodeValue(value, HEAD[compat]);
  } catch (error) {
    throw wrapError('ManifestInvalid', `YAML parse error on ${path}`, error);
  }
  const { apiVersion, kind, metadata } = read;
  return {
    manifest: { path, text: document, apiVersion, kind, name: metadata?.name ?? '', value },
    annotations: metadata?.annotations,
  };
}

function addHook(
  hooks: Hook[],
  manifest: Manifest,
  words: string,
  annotations: ReadonlyMap<string, string>,
  warn: (text: string) => void,
): void {
  const events = words.split(',').map((word) => EVENTS.get(word.trim().toLowerCase()));
  if (events.includes(undefined)) {
    warn(`info: skipping unknown hook: ${goQuote(words)}`);
    return;
  }
  const list = (name: string) =>
    annotations
      .get(name)
      ?.split(',')
      .map((word) => word.trim().toLowerCase()) ?? [];
  hooks.push({
    ...manifest,
    events: events as HookEvent[],
    weight: parseSafeInteger(annotations.get('helm.sh/hook-weight') ?? '') ?? 0,
    deletePolicies: list('helm.sh/hook-delete-policy'),
    outputLogPolicies: list('helm.sh/hook-output-log-policy'),
  });
}

/** Cuts a stream into documents as Helm does, which is by `---` alone and not by YAML's rules. */
export function splitManifests(stream: string, compat: Compat): string[] {
  if (compat === 'helm4') {
    const pieces = trimStart(stream)
      .split(/^---[ \t]*/m)
      .map(trimStart);
    return pieces.filter((piece) => piece !== '');
  }
  return splitAtSeparators(trimSpace(stream))
    .filter((piece) => piece !== '')
    .map(trimSpace);
}

/**
 * Splits on `(?:^|\s*\n)---\s*`. Written out because the expression takes quadratic time over long runs of blanks, and
 * because `^` means the start of the stream only.
 */
function splitAtSeparators(stream: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let at = stream.indexOf('---'); at >= 0; at = stream.indexOf('---', at)) {
    const isSeparator = at === 0 || (stream[at - 1] === '\n' && at - 1 >= start);
    if (!isSeparator) {
      at++;
      continue;
    }
    let end = at;
    while (end > start && isBlank(stream, end - 1)) end--;
    pieces.push(stream.slice(start, end));
    at += 3;
    while (isBlank(stream, at)) at++;
    start = at;
  }
  pieces.push(stream.slice(start));
  return pieces;
}

/** Go's `\s`. */
function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d || code === 0x0c;
}
