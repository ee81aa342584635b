// Owns what becomes of fields that the API server does not know: Flux reads built-in kinds into typed structs, in which
// such fields vanish (flux.md §4.8 "Normalisation"). Here the server says which they are, and those are left out.
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { groupOf, type Manifest } from './manifest.ts';

const BUILT_IN_GROUPS = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'extensions',
  'policy',
  ...[
    'admissionregistration',
    'internal.apiserver',
    'authentication',
    'authorization',
    'certificates',
    'coordination',
    'discovery',
    'events',
    'flowcontrol.apiserver',
    'networking',
    'node',
    'rbac.authorization',
    'resource',
    'scheduling',
    'storage',
    'storagemigration',
  ].map((name) => `${name}.k8s.io`),
]);

/** True for kinds that Flux reads into typed structs. Roles are left as they are: their rules would be lost. */
export function isTyped({ apiVersion, kind }: Pick<Manifest, 'apiVersion' | 'kind'>): boolean {
  const group = groupOf(apiVersion);
  const isRole = group === 'rbac.authorization.k8s.io' && (kind === 'Role' || kind === 'ClusterRole');
  return BUILT_IN_GROUPS.has(group) && !isRole;
}

/** Paths of a server-side apply's refusal, such as `.spec.containers[name="main"].imagePullPolice`. */
export function undeclaredPaths(message: string): readonly string[] {
  const suffix = ': field not declared in schema';
  return message
    .split('\n')
    .filter((line) => line.endsWith(suffix))
    .map((line) => /(?:^|\s)(\.\S.*)$/.exec(line.slice(0, -suffix.length))?.[1])
    .filter((path) => path !== undefined);
}

/** The manifest without the field; undefined when the path leads nowhere in it. */
export function withoutField(manifest: Manifest, path: string): Manifest | undefined {
  return without(manifest, path) as Manifest | undefined;
}

function without(value: JsonValue, path: string): JsonValue | undefined {
  if (isJsonObject(value)) return withoutMember(value, path);
  return Array.isArray(value) ? withoutInItem(value, path) : undefined;
}

/** Names may hold dots: of those that fit, the longest that leads somewhere counts. */
function withoutMember(value: JsonObject, path: string): JsonObject | undefined {
  const names = Object.keys(value)
    .filter((name) => path.startsWith(`.${name}`) && ['', '.', '['].includes(path.charAt(name.length + 1)))
    .sort((a, b) => b.length - a.length);
  for (const name of names) {
    const rest = path.slice(name.length + 1);
    const { [name]: member, ...others } = value;
    if (rest === '') return others;
    const left = without(member as JsonValue, rest);
    if (left !== undefined) return { ...value, [name]: left };
  }
  return undefined;
}

function withoutInItem(items: readonly JsonValue[], path: string): JsonValue[] | undefined {
  const match = /^\[((?:[^\]"]|"(?:[^"\\]|\\.)*")*)\]/.exec(path);
  if (match === null) return undefined;
  const at = /^\d+$/.test(match[1]!) ? Number(match[1]) : indexByKeys(items, match[1]!);
  const item = items[at];
  const left = item === undefined ? undefined : without(item, path.slice(match[0].length));
  return left === undefined ? undefined : items.with(at, left);
}

/** Keys that an item lacks have their defaults on the server. */
function indexByKeys(items: readonly JsonValue[], keys: string): number {
  const wanted = [...keys.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, name, text]) => [name!, text!] as const,
  );
  return items.findIndex(
    (item) =>
      isJsonObject(item) &&
      wanted.every(([name, text]) => !Object.hasOwn(item, name) || JSON.stringify(item[name]) === text),
  );
}
