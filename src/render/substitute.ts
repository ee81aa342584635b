// Owns post-build substitution (flux.md §4.7): which variables there are, which objects take part, and what a failure
// says. The language of `${…}` is lang/envsubst.
import { isUtf8 } from 'node:buffer';
import type { SubstituteReference } from '../api/kustomize/kustomization.ts';
import { substituteKey } from '../api/meta/keys.ts';
import { expand } from '../lang/envsubst/expand.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';
import { fromYaml, toYaml } from '../lib/goyaml/sigs.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../lib/json.ts';
import { groupOf, versionOf } from '../objects/manifest.ts';
import { maskSecrets } from '../objects/redact.ts';

/** Substitution failed. The message is Flux's and carries no value of a Secret. */
export class SubstituteError extends CodedError<'SubstituteFailed', { readonly object?: string }> {}

/** The variables of a Kustomization. */
export interface SubstitutionVariables {
  readonly values: ReadonlyMap<string, string>;
  /** Values that came from Secrets: to be masked in whatever leaves the process (`maskSecrets`). */
  readonly secretValues: readonly string[];
}

/** A `substituteFrom` entry with the live object it names; undefined for an optional one that is not there. */
export interface VariableSource {
  readonly reference: SubstituteReference;
  readonly object: JsonObject | undefined;
}

export interface SubstituteOptions {
  readonly variables: SubstitutionVariables;
  /** Refuse variables that are not set. */
  readonly strict: boolean;
  /** `substituteStrategy: Always`: substitute even where there is no variable at all. */
  readonly always: boolean;
}

/** The error for a source that cannot be read, in Flux's words; `cause` is what the API server said. */
export function unreadableSource(reference: SubstituteReference, cause: unknown): SubstituteError {
  const message = `substitute from '${reference.kind}/${reference.name}' error: ${errorMessage(cause)}`;
  return new SubstituteError('SubstituteFailed', message, {}, { cause });
}

/**
 * Collects the variables: later sources win over earlier ones, `inline` over all. Line breaks are taken out of values.
 */
export function collectVariables(
  sources: readonly VariableSource[],
  inline: Readonly<Record<string, string>> = {},
): SubstitutionVariables {
  const values = new Map<string, string>();
  const secretValues = new Set<string>();
  for (const { reference, object } of sources) {
    const data = object?.['data'];
    if (!isJsonObject(data)) continue;
    for (const [name, text] of Object.entries(data)) {
      if (typeof text !== 'string') continue;
      const plain = reference.kind === 'Secret' ? Buffer.from(text, 'base64').toString('utf8') : text;
      const value = plain.replaceAll('\n', '');
      values.set(name, value);
      if (reference.kind === 'Secret' && value !== '') secretValues.add(value);
    }
  }
  for (const [name, text] of Object.entries(inline)) values.set(name, text.replaceAll('\n', ''));
  return { values, secretValues: [...secretValues] };
}

/**
 * Substitutes in each object that does not opt out; the others come back as they are. Throws SubstituteError
 * `post build failed for 'Deployment.v1.apps/web': envsubst error: …`.
 */
export function substituteObjects(objects: readonly JsonObject[], options: SubstituteOptions): JsonObject[] {
  const { values, secretValues } = options.variables;
  if (values.size === 0 && !options.always) return [...objects];
  const identities = new Map<string, number>();
  for (const object of objects) count(identities, identityOf(object), 1);
  return objects.map((object) => {
    if (isExempt(object)) return object;
    try {
      const next = substituteObject(object, options);
      if (next === object) return object;
      count(identities, identityOf(object), -1);
      const same = count(identities, identityOf(next), 1);
      if (same > 1) throw new Error(`in Replace: id matched ${same} resources`);
      return next;
    } catch (error) {
      const name = describe(object);
      const message = maskSecrets(`post build failed for '${name}': ${errorMessage(error)}`, secretValues);
      throw new SubstituteError('SubstituteFailed', message, { object: name }, causeOf(error, secretValues));
    }
  });
}

const NAME = /^[_A-Za-z][_A-Za-z0-9]*$/;

/** The object with its variables replaced; the object itself when its text has none. */
function substituteObject(object: JsonObject, { variables, strict }: SubstituteOptions): JsonObject {
  for (const name of variables.values.keys()) {
    if (NAME.test(name)) continue;
    throw new Error(`envsubst error: '${name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`);
  }
  // Writing and reading YAML costs far more than looking whether there is anything to replace.
  if (!stringifyJson(object).includes('$')) return object;
  const value = parse(substituteText(toYaml(object), variables.values, strict));
  if (!isJsonObject(value)) throw new Error('UnmarshalJSON: the text is no mapping after substitution');
  return value;
}

function substituteText(text: string, values: ReadonlyMap<string, string>, strict: boolean): Uint8Array {
  try {
    return expand(text, values, { strict });
  } catch (error) {
    throw new Error(`envsubst error: variable substitution failed: ${errorMessage(error)}`, { cause: error });
  }
}

/** Substituted text is YAML again: a value such as `42` becomes a number. */
function parse(bytes: Uint8Array): JsonValue {
  const prefix = 'envsubst error: YAMLToJSON: ';
  if (!isUtf8(bytes)) throw new Error(`${prefix}yaml: invalid leading UTF-8 octet`);
  try {
    return fromYaml(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    const message = errorMessage(error).replace(/^error converting YAML to JSON: /, '');
    throw new Error(`${prefix}${message}`, { cause: error });
  }
}

/** The value must be exactly `disabled`; other policies are compared without case. */
function isExempt(object: JsonObject): boolean {
  return ['labels', 'annotations'].some((field) => {
    const metadata = object['metadata'];
    const map = isJsonObject(metadata) ? metadata[field] : undefined;
    return isJsonObject(map) && map[substituteKey] === 'disabled';
  });
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function nameOf(object: JsonObject, field: 'name' | 'namespace'): string {
  const metadata = object['metadata'];
  return isJsonObject(metadata) ? textOf(metadata[field]) : '';
}

/** `<Kind>.<version>.<group>/<name>`, as kustomize names an object in messages. */
function describe(object: JsonObject): string {
  const apiVersion = textOf(object['apiVersion']);
  const group = groupOf(apiVersion) || '[noGrp]';
  return `${textOf(object['kind'])}.${versionOf(apiVersion)}.${group}/${nameOf(object, 'name')}`;
}

function identityOf(object: JsonObject): string {
  const namespace = nameOf(object, 'namespace') || 'default';
  return [textOf(object['apiVersion']), textOf(object['kind']), namespace, nameOf(object, 'name')].join('|');
}

function count(counts: Map<string, number>, key: string, by: number): number {
  const now = (counts.get(key) ?? 0) + by;
  counts.set(key, now);
  return now;
}

/** The cause goes to logs: it is dropped where it could carry a secret value. */
function causeOf(error: unknown, secretValues: readonly string[]): { cause?: unknown } {
  return secretValues.length === 0 ? { cause: error } : {};
}
