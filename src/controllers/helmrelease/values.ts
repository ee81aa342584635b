// Owns how the values of a release are put together: ConfigMaps and Secrets in order, then the spec's own (helm.md
// §21.3). No text from a Secret goes into an error.
import type { HelmRelease, ValuesReference } from '../../api/helm/helmrelease.ts';
import { parseSet } from '../../engines/helm/set.ts';
import { mergeMaps, type Table } from '../../engines/helm/table.ts';
import { parseValues } from '../../engines/helm/values-file.ts';
import { fromJson, toJson } from '../../lang/gotemplate/value-json.ts';
import { CodedError, errorMessage } from '../../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts';

/** A reference that cannot be read; the text is Flux's. */
export class ValuesError extends CodedError<'ValuesUnavailable', { readonly reference: string }> {}

/** Looks a referenced object up; undefined when it is not there. */
export type FindInput = (kind: ValuesReference['kind'], name: string) => JsonObject | undefined;

/** The values of a release, and which of them came from Secrets. */
export interface ComposedValues {
  readonly values: JsonObject;
  /** Texts that must not be shown to anybody. */
  readonly secrets: readonly string[];
}

/** Puts the values together. Throws `ValuesError`. */
export function composeValues(object: HelmRelease, find: FindInput): ComposedValues {
  const namespace = object.metadata.namespace ?? '';
  const inline = fromJson(object.spec?.values ?? {}) as Table;
  let values: Table = new Map();
  const secrets: string[] = [];
  for (const reference of object.spec?.valuesFrom ?? []) {
    const text = readReference(reference, namespace, find);
    if (text === undefined) continue;
    try {
      if (reference.targetPath === undefined) {
        const read = parseValues(text, 'helm4');
        if (reference.kind === 'Secret') secrets.push(...textsIn(toJson(read)));
        values = mergeMaps(values, read);
      } else {
        if (reference.kind === 'Secret') secrets.push(text);
        // Tables that only the spec has are shared by the merge, so a path set inside of them stays set below.
        values = mergeMaps(values, inline);
        setPath(values, reference.targetPath, text, reference.literal === true);
      }
    } catch (error) {
      const what = reference.targetPath === undefined ? 'failed to read values data' : 'failed to merge value';
      // What the parser says may quote the text, and a Secret's is not to be shown.
      const problem = reference.kind === 'Secret' ? what : errorMessage(error);
      throw failure(reference, namespace, problem);
    }
  }
  return { values: toJson(mergeMaps(values, inline)) as JsonObject, secrets };
}

/** Values over those of a revision before, as `helm upgrade --reuse-values` lays them. */
export function laidOver(base: JsonObject, values: JsonObject): JsonObject {
  return toJson(mergeMaps(fromJson(base) as Table, fromJson(values) as Table)) as JsonObject;
}

/** The texts and numbers anywhere in a value. */
function textsIn(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (isJsonObject(value)) return Object.values(value).flatMap(textsIn);
  return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
}

function readReference(reference: ValuesReference, namespace: string, find: FindInput): string | undefined {
  const { kind, name, valuesKey = 'values.yaml', optional } = reference;
  const found = find(kind, name);
  if (found === undefined) {
    if (optional === true) return undefined;
    throw failure(reference, namespace, `${kind === 'Secret' ? 'secrets' : 'configmaps'} "${name}" not found`);
  }
  const data = isJsonObject(found['data']) ? found['data'] : {};
  const value = Object.hasOwn(data, valuesKey) ? data[valuesKey] : undefined;
  if (typeof value !== 'string') {
    if (optional === true) return undefined;
    throw failure(reference, namespace, 'key not found');
  }
  return kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value;
}

function failure(reference: ValuesReference, namespace: string, problem: string): ValuesError {
  const { kind, name, valuesKey = 'values.yaml', optional } = reference;
  const subject = `${optional === true ? 'optional ' : ''}${kind} chart values reference '${namespace}/${name}'`;
  const message = `could not resolve ${subject} with key '${valuesKey}': ${problem}`;
  return new ValuesError('ValuesUnavailable', message, { reference: `${kind}/${namespace}/${name}` });
}

/** Sets a value as `--set` does; in quotes, or `literal`, it is text. */
function setPath(values: Table, path: string, text: string, literal: boolean): void {
  if (literal) {
    parseSet(`${path}=${text.replaceAll(/[\\,[\]{}]/g, '\\$&')}`, values, { kind: 'string' }, 'helm4');
    return;
  }
  const isQuoted = /^(['"])/.test(text) && text.endsWith(text[0]!);
  const value = isQuoted ? text.replaceAll(/^['"]+|['"]+$/g, '') : text;
  parseSet(`${path}=${value}`, values, { kind: isQuoted ? 'string' : 'typed' }, 'helm4');
}
