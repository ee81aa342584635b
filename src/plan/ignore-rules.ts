// Owns drift-ignore rules (`spec.ignore`, flux.md §4.10): which paths of an object do not count as drift, and what is
// sent for them when an apply happens for another reason.
import type { IgnoreRule, PatchTarget } from '../api/kustomize/kustomization.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { compileRegexp, type Regexp } from '../lib/regexp.ts';
import { fieldsOf } from '../objects/managed-fields.ts';
import {
  annotationsOf,
  groupOf,
  labelsOf,
  type Manifest,
  managedFieldsOf,
  namespaceOf,
  versionOf,
  withMetadata,
} from '../objects/manifest.ts';
import { matchesLabels, parseLabelSelector, type Requirement } from '../objects/selector.ts';
import { differs } from './compare.ts';

/** A rule whose selector or path cannot be read. */
export class IgnoreRuleError extends CodedError<'InvalidIgnoreRule', { readonly field: string }> {}

/** What the rules make of an object: what to send, and whether live and dry-run differ apart from ignored paths. */
export interface IgnoringComparison {
  readonly send: Manifest;
  readonly compare: (live: Manifest, dryRun: Manifest) => boolean;
}

interface CompiledRule {
  readonly matches: (object: Manifest) => boolean;
  readonly paths: readonly (readonly string[])[];
}

/**
 * Compiles the rules; undefined when there are none. Throws IgnoreRuleError.
 * @param manager our field manager
 */
export function compileIgnoreRules(
  rules: readonly IgnoreRule[] | undefined,
  manager: string,
): ((desired: Manifest, live: Manifest) => IgnoringComparison) | undefined {
  if (rules === undefined || rules.length === 0) return undefined;
  const compiled = rules.map((rule, index) => compileRule(rule, `ignore[${index}]`));
  const pathsFor = (object: Manifest): readonly (readonly string[])[] =>
    compiled.flatMap((rule) => (rule.matches(object) ? rule.paths : []));
  return (desired, live) => {
    // The selectors see the object as the server will have it: others' labels are still there.
    const merged = withMetadata(desired, {
      labels: { ...labelsOf(live), ...labelsOf(desired) },
      annotations: { ...annotationsOf(live), ...annotationsOf(desired) },
    });
    return {
      send: pathsFor(merged).reduce((object, path) => settlePath(object, live, path, manager), desired),
      compare: (before, dryRun) => {
        const paths = pathsFor(dryRun);
        return differs(withoutPaths(before, paths), withoutPaths(dryRun, paths));
      },
    };
  };
}

function compileRule(rule: IgnoreRule, field: string): CompiledRule {
  try {
    return { matches: compileTarget(rule.target ?? {}), paths: rule.paths.map(parsePointer) };
  } catch (error) {
    const message = `failed to create ignore rule selector: ${errorMessage(error)}`;
    throw new IgnoreRuleError('InvalidIgnoreRule', message, { field }, { cause: error });
  }
}

function compileTarget(target: PatchTarget): (object: Manifest) => boolean {
  const group = compilePattern('group', target.group);
  const version = compilePattern('version', target.version);
  const kind = compilePattern('kind', target.kind);
  const name = compilePattern('name', target.name);
  const namespace = compilePattern('namespace', target.namespace);
  const labels = compileSelector('label', target.labelSelector);
  const annotations = compileSelector('annotation', target.annotationSelector);
  return (object) =>
    name(object.metadata.name) &&
    kind(object.kind) &&
    namespace(namespaceOf(object)) &&
    group(groupOf(object.apiVersion)) &&
    version(versionOf(object.apiVersion)) &&
    labels(labelsOf(object)) &&
    annotations(annotationsOf(object));
}

/** An anchored pattern; an empty one takes everything. */
function compilePattern(field: string, pattern: string | undefined): (text: string) => boolean {
  if (!pattern) return () => true;
  let regexp: Regexp;
  try {
    regexp = compileRegexp(`^(?:${pattern})$`);
  } catch (error) {
    throw new Error(`invalid ${field} regex: ${errorMessage(error)}`, { cause: error });
  }
  return (text) => regexp.test(text);
}

function compileSelector(field: string, text: string | undefined): (map: Readonly<Record<string, string>>) => boolean {
  if (!text) return () => true;
  let requirements: readonly Requirement[];
  try {
    requirements = parseLabelSelector(text);
  } catch (error) {
    throw new Error(`invalid ${field} selector: ${errorMessage(error)}`, { cause: error });
  }
  return (map) => matchesLabels(requirements, new Map(Object.entries(map)));
}

/** Segments of a JSON pointer (RFC 6901). */
function parsePointer(pointer: string): readonly string[] {
  if (!pointer.startsWith('/')) throw new Error(`invalid JSON pointer ${JSON.stringify(pointer)}`);
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * The desired object with one ignored path settled. Where its value stands against the live one, it is left out when
 * another server-side apply manager owns the field, else the live value is taken over. A field that we own and that
 * the manifest no longer has keeps its live value, too.
 */
function settlePath(desired: Manifest, live: Manifest, path: readonly string[], manager: string): Manifest {
  const wanted = valueAt(desired, path);
  const found = valueAt(live, path);
  const owners = applyOwners(live, path);
  if (wanted === undefined) {
    const onlyOurs = owners.length > 0 && owners.every((owner) => owner === manager);
    return found !== undefined && onlyOurs ? (withValue(desired, path, found) as Manifest) : desired;
  }
  if (found !== undefined && covers(found, wanted)) return desired;
  const isOthers = owners.some((owner) => owner !== manager);
  return (found === undefined || isOthers ? without(desired, path) : withValue(desired, path, found)) as Manifest;
}

/** True when the live value has all that is wanted; fields that the server filled in do not count against it. */
function covers(live: JsonValue, wanted: JsonValue): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((item: JsonValue, i) => covers(live[i] as JsonValue, item))
    );
  }
  if (!isJsonObject(wanted)) return live === wanted;
  return (
    isJsonObject(live) &&
    Object.entries(wanted).every(([key, item]) => Object.hasOwn(live, key) && covers(live[key]!, item))
  );
}

/** Managers whose server-side apply of the object itself owns the field. */
function applyOwners(live: Manifest, path: readonly string[]): string[] {
  return managedFieldsOf(live).flatMap((entry) => {
    if (entry.operation !== 'Apply' || (entry.subresource ?? '') !== '') return [];
    return ownsPath(fieldsOf(entry), live, path) ? [entry.manager ?? ''] : [];
  });
}

/** True when a FieldsV1 tree has the path. A leaf above it owns all below: the field is atomic. */
function ownsPath(fields: JsonObject, live: JsonValue, path: readonly string[]): boolean {
  const [segment, ...rest] = path;
  if (segment === undefined) return true;
  if (Object.keys(fields).length === 0) return false;
  const key = Array.isArray(live) ? itemKey(fields, live, segment) : `f:${segment}`;
  const inner = key !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (!isJsonObject(inner)) return false;
  const isAtomic = rest.length > 0 && Object.keys(inner).length === 0;
  return isAtomic || ownsPath(inner, childOf(live, segment) ?? null, rest);
}

/** The key under which managed fields list an item: its merge key, its value, or its place. */
function itemKey(fields: JsonObject, list: readonly JsonValue[], segment: string): string | undefined {
  const item = childOf(list, segment);
  return Object.keys(fields).find((key) => {
    if (key === `i:${segment}`) return true;
    if (item === undefined || !/^[kv]:/.test(key)) return false;
    const value = parse(key.slice(2));
    return value !== undefined && (isJsonObject(value) ? covers(item, value) : item === value);
  });
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function childOf(value: JsonValue, segment: string): JsonValue | undefined {
  if (Array.isArray(value)) {
    const index = indexIn(value, segment);
    return index === undefined ? undefined : (value[index] as JsonValue);
  }
  return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

/** The place that a segment names in a list; negative ones count from the end. */
function indexIn(list: readonly JsonValue[], segment: string): number | undefined {
  if (!/^-?(?:0|[1-9]\d*)$/.test(segment)) return undefined;
  const index = Number(segment) < 0 ? list.length + Number(segment) : Number(segment);
  return index >= 0 && index < list.length ? index : undefined;
}

function valueAt(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let here: JsonValue | undefined = value;
  for (const segment of path) {
    if (here === undefined) return undefined;
    here = childOf(here, segment);
  }
  return here;
}

function withoutPaths(object: Manifest, paths: readonly (readonly string[])[]): Manifest {
  const rest = paths.reduce<JsonValue>(without, object) as JsonObject;
  // A rule may take `metadata` away as a whole.
  return { ...rest, metadata: isJsonObject(rest['metadata']) ? rest['metadata'] : {} } as Manifest;
}

/** The value without what stands at the path; the value itself when nothing does. */
function without(value: JsonValue, path: readonly string[]): JsonValue {
  return change(value, path, undefined);
}

/** The value with another one at the path; missing objects on the way are made, missing list items are not. */
function withValue(value: JsonValue, path: readonly string[], next: JsonValue): JsonValue {
  return change(value, path, next);
}

function change(value: JsonValue, path: readonly string[], next: JsonValue | undefined): JsonValue {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  const child = childOf(value, segment);
  const isLast = rest.length === 0;
  if (child === undefined && (next === undefined || Array.isArray(value))) return value;
  const inner = isLast ? next : change(child ?? {}, rest, next);
  if (Array.isArray(value)) {
    const index = indexIn(value, segment)!;
    return inner === undefined
      ? value.filter((_item, i) => i !== index)
      : value.map((item: JsonValue, i) => (i === index ? inner : item));
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key !== segment || inner !== undefined);
  if (inner !== undefined && child === undefined) entries.push([segment, inner]);
  // fromEntries makes own properties of names such as `__proto__`, which an assignment would not.
  return Object.fromEntries(entries.map(([key, item]) => [key, key === segment && inner !== undefined ? inner : item]));
}
