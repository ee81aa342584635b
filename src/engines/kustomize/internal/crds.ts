// Owns `crds` files: OpenAPI definitions of a user's types, read for the extensions that say which fields are labels,
// annotations, names and references.
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../../lib/json.ts';
import { buildError, wrapError } from '../errors.ts';
import { emptyConfig, mergeConfig, type NameReference, type TransformerConfig } from './config.ts';
import type { FieldSpec } from './fieldspec.ts';
import { compareText } from './resid.ts';
import { readYamlValue } from './yaml.ts';

/** References between definitions may form rings; nobody nests types deeper than this. */
const MAX_DEPTH = 50;

/** Field specs that the definitions of a file ask for. */
export function parseCrds(text: string, path: string): TransformerConfig {
  const definitions = readDefinitions(text, path);
  let config = emptyConfig;
  for (const name of Object.keys(definitions).sort(compareText)) {
    const properties = propertiesOf(definitions, name);
    if (!['kind', 'apiVersion', 'metadata'].every((field) => Object.hasOwn(properties, field))) continue;
    const found: Found = { annotations: [], labels: [], names: [], references: [] };
    collect(definitions, name, name.split('.').at(-1)!, [], found);
    config = mergeConfig(config, {
      ...emptyConfig,
      commonAnnotations: found.annotations,
      commonLabels: found.labels,
      namePrefix: found.names,
      nameReference: found.references,
    });
  }
  return config;
}

function readDefinitions(text: string, path: string): JsonObject {
  try {
    const isJson = text.startsWith('{');
    const value = isJson ? parseJson(text) : readYamlValue(text, false);
    const prefix = isJson ? '' : 'error unmarshaling JSON: while decoding JSON: ';
    return requireDefinitions(value, prefix);
  } catch (error) {
    throw wrapError(error, `unable to parse open API definition from '${path}'`);
  }
}

const GO_WORDS: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  number: 'number',
  bigint: 'number',
};

function requireDefinitions(value: JsonValue, prefix: string): JsonObject {
  const refuse = (wrong: JsonValue, type: string): never => {
    const word = Array.isArray(wrong) ? 'array' : (GO_WORDS[typeof wrong] ?? 'object');
    throw buildError(`${prefix}json: cannot unmarshal ${word} into Go value of type accumulator.${type}`);
  };
  if (value === null) return {};
  if (!isJsonObject(value)) return refuse(value, 'nameToApiMap');
  for (const key of Object.keys(value).sort(compareText)) {
    const definition = value[key]!;
    if (definition !== null && !isJsonObject(definition)) refuse(definition, 'OpenAPIDefinition');
  }
  return value;
}

interface Found {
  readonly annotations: FieldSpec[];
  readonly labels: FieldSpec[];
  readonly names: FieldSpec[];
  readonly references: NameReference[];
}

function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function propertiesOf(definitions: JsonObject, name: string): JsonObject {
  const definition = member(definitions, name);
  const key = isJsonObject(definition)
    ? Object.keys(definition).find((one) => one.toLowerCase() === 'schema')
    : undefined;
  const properties = key === undefined ? undefined : member(member(definition, key), 'properties');
  return isJsonObject(properties) ? properties : {};
}

function collect(definitions: JsonObject, name: string, kind: string, path: readonly string[], found: Found): void {
  if (path.length > MAX_DEPTH) return;
  const properties = propertiesOf(definitions, name);
  for (const field of Object.keys(properties).sort(compareText)) {
    const property = properties[field]!;
    const here = [...path, field];
    const text = (key: string): string | undefined => {
      const value = member(property, key);
      return typeof value === 'string' ? value : undefined;
    };
    const spec = (parts: readonly string[]): FieldSpec => ({
      group: '',
      version: '',
      kind,
      path: parts.join('/'),
      create: false,
    });
    if (text('x-kubernetes-annotation') !== undefined) found.annotations.push(spec(here));
    if (text('x-kubernetes-label-selector') !== undefined) found.labels.push(spec(here));
    if (text('x-kubernetes-identity') !== undefined) found.names.push(spec(here));
    const version = text('x-kubernetes-object-ref-api-version');
    const target = text('x-kubernetes-object-ref-kind');
    if (version !== undefined && target !== undefined) {
      const referrer = spec([...here, text('x-kubernetes-object-ref-name-key') ?? 'name']);
      found.references.push({ group: '', version, kind: target, referrers: [referrer] });
    }
    const ref = text('$ref');
    if (ref !== undefined) collect(definitions, ref, kind, here, found);
  }
}
