// Owns access to the generated knowledge of built-in kinds: groups, resources and schemas. The data itself is made by
// test/generate/schemas.ts; facts that OpenAPI does not carry are in the small tables beside this file.
import { readFileSync } from 'node:fs';
import { type CompileContext, compileSchema, type RawSchema, type SchemaNode } from './node.ts';

export interface BuiltinSubresource {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

export interface BuiltinResource {
  readonly name: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources?: Readonly<Record<string, BuiltinSubresource>>;
}

export interface BuiltinGroup {
  readonly name: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly BuiltinResource[] }[];
}

interface GeneratedData {
  readonly origin: string;
  readonly version: string;
  readonly groups: readonly BuiltinGroup[];
  /** `group/version/Kind` → definition name. */
  readonly roots: Readonly<Record<string, string>>;
  readonly schemas: Readonly<Record<string, RawSchema>>;
}

/** The built-in kinds: their place in the API and their schemas. */
export interface Builtins {
  /** Kubernetes version that the data was taken from, `v1.36.1`. */
  readonly version: string;
  readonly groups: readonly BuiltinGroup[];
  /** Raw definitions by full name; `$ref` holds the bare name. */
  readonly definitions: Readonly<Record<string, RawSchema>>;
  /** Name of the definition of a kind; undefined for an unknown one. */
  definitionName(group: string, version: string, kind: string): string | undefined;
  /** Compiled definition by full name. Throws when there is none. */
  schema(name: string): SchemaNode;
  /** What compiling a custom resource's schema needs to use built-in definitions (ObjectMeta). */
  readonly context: CompileContext;
}

/** Enumerations by definition and property; `name[]` for the items of a list, `name{}` for the values of a map. */
type Enums = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

function readGenerated(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./${name}.generated.json`, import.meta.url), 'utf8'));
}

/** For `kubectl explain` and other readers of the OpenAPI documents: what is refused is in checks.ts. */
function addEnums(schemas: Readonly<Record<string, RawSchema>>, enums: Enums): void {
  for (const [definition, fields] of Object.entries(enums)) {
    const properties = schemas[definition]?.['properties'] as Record<string, Record<string, unknown>> | undefined;
    for (const [field, values] of Object.entries(fields)) {
      const property = properties?.[field.replace(/[[\]{}]+$/, '')];
      const inner = field.endsWith('[]') ? 'items' : field.endsWith('{}') ? 'additionalProperties' : undefined;
      const target = inner === undefined ? property : (property?.[inner] as Record<string, unknown> | undefined);
      if (target !== undefined) target['enum'] = values;
    }
  }
}

/** Reads the generated files (about 490 kB) and indexes them. */
export function loadBuiltins(): Builtins {
  const data = readGenerated('builtin') as GeneratedData;
  addEnums(data.schemas, (readGenerated('enums') as { enums: Enums }).enums);
  const context: CompileContext = {
    resolve(name) {
      const raw = data.schemas[name];
      if (raw === undefined) throw new Error(`no built-in definition ${name}`);
      return raw;
    },
    named: new Map(),
    preserve: false,
  };
  return {
    version: data.version,
    groups: data.groups,
    definitions: data.schemas,
    definitionName: (group, version, kind) => data.roots[`${group}/${version}/${kind}`],
    schema: (name) => compileSchema({ $ref: name }, context),
    context,
  };
}
