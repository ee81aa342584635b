// Owns the OpenAPI v2 document: definitions only, converted from v3, for clients that have not moved on. JSON alone.
import { isRecord } from '../object.ts';
import type { Registry } from '../registry.ts';
import type { Builtins } from '../schema/builtin.ts';
import { customDefinitionName, customSchema } from './custom.ts';

/** A function that gives the document's text, rebuilt when the registry has changed. */
export function createOpenApiV2(builtins: Builtins, registry: Registry): () => string {
  let generation = -1;
  let text = '';
  return () => {
    if (generation === registry.generation) return text;
    generation = registry.generation;
    const definitions: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(builtins.definitions)) definitions[name] = downgrade(schema);
    for (const resource of registry.all()) {
      if (!resource.custom) continue;
      for (const version of resource.versions.values()) {
        definitions[customDefinitionName(resource, version.name)] = downgrade(customSchema(resource, version));
      }
    }
    text = JSON.stringify({
      swagger: '2.0',
      info: { title: 'Kubernetes', version: builtins.version },
      paths: {},
      definitions,
    });
    return text;
  };
}

/** Keywords of v3 that v2 lacks. */
const DROPPED = new Set(['nullable', 'oneOf', 'anyOf', 'not', 'default']);

function downgrade(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(downgrade);
  if (!isRecord(schema)) return schema;
  const { allOf, ...rest } = schema;
  const out: Record<string, unknown> = {};
  if (Array.isArray(allOf) && allOf.length === 1 && isRecord(allOf[0]) && typeof allOf[0]['$ref'] === 'string') {
    const name = allOf[0]['$ref'];
    out['$ref'] = `#/definitions/${name.slice(name.lastIndexOf('/') + 1)}`;
  }
  if (Array.isArray(schema['oneOf']) && schema['type'] === undefined) out['type'] = 'string';
  for (const [key, value] of Object.entries(rest)) {
    if (DROPPED.has(key)) continue;
    out[key] =
      key === '$ref' && typeof value === 'string'
        ? `#/definitions/${value.slice(value.lastIndexOf('/') + 1)}`
        : downgrade(value);
  }
  return out;
}
