// Writes src/objects/schema/kustomize-{types,scopes}.ts from the schema that kustomize has built in (needs `go`).
// Run: node test/generate/kustomize-schema.ts
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ORIGIN = 'sigs.k8s.io/kustomize/kyaml v0.21.1 (Kubernetes v1.21.2)';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

interface Source {
  readonly definitions: Readonly<Record<string, Schema>>;
  readonly scopes: readonly { apiVersion: string; kind: string; namespaced: boolean }[];
}

const folder = import.meta.dirname;
const source = JSON.parse(
  execFileSync('go', ['run', '.'], { cwd: join(folder, 'kustomize-schema'), maxBuffer: 64 << 20, encoding: 'utf8' }),
) as Source;
const { definitions } = source;

function refName(schema: Schema | undefined): string | undefined {
  return schema?.$ref?.replace('#/definitions/', '');
}

function merges(schema: Schema): boolean {
  return schema.type === 'array' && (schema['x-kubernetes-patch-strategy'] ?? '').split(',').includes('merge');
}

/** Definitions from which a list with merge keys can be reached. All others need no names of their fields. */
function findLive(): ReadonlySet<string> {
  const live = new Set<string>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const [name, definition] of Object.entries(definitions)) {
      if (live.has(name)) continue;
      const reaches = Object.values(definition.properties ?? {}).some((property) => {
        const next = refName(property) ?? refName(additional(property));
        return merges(property) || (next !== undefined && live.has(next));
      });
      if (reaches) {
        live.add(name);
        grew = true;
      }
    }
  }
  return live;
}

function additional(schema: Schema): Schema | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

const live = findLive();
const used = new Map<string, string>();

/** Short unique name of a definition. */
function shortName(name: string): string {
  const known = used.get(name);
  if (known !== undefined) return known;
  const parts = name.split('.');
  const taken = new Set(used.values());
  let short = parts.at(-1)!;
  if (taken.has(short)) short = parts.slice(-2).reverse().join('_');
  if (taken.has(short)) short = parts.slice(-3).reverse().join('_');
  used.set(name, short);
  return short;
}

/** `name` known, `name!` known but of unknown content, `name:Type` a map, `name+a,b:Type` a list merged by keys. */
function formatField(name: string, property: Schema): string {
  if (merges(property)) {
    const keys = property['x-kubernetes-list-map-keys'] ?? [property['x-kubernetes-patch-merge-key'] ?? ''];
    const element = refName(property.items);
    return `${name}+${keys.join(',')}${element !== undefined && live.has(element) ? `:${shortName(element)}` : ''}`;
  }
  const next = refName(property);
  if (next !== undefined && live.has(next)) return `${name}:${shortName(next)}`;
  const resolved = next === undefined ? property : definitions[next]!;
  const open = resolved.type !== 'array' && resolved.properties === undefined && additional(resolved) === undefined;
  return open && (resolved.type === 'object' || resolved.type === undefined) ? `${name}!` : name;
}

const roots: string[] = [];
const lines: string[] = [];
for (const name of [...live].sort()) {
  for (const gvk of definitions[name]!['x-kubernetes-group-version-kind'] ?? []) {
    const apiVersion = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
    roots.push(`${apiVersion} ${gvk.kind} ${shortName(name)}`);
  }
}
for (const name of [...live].sort()) {
  const fields = Object.entries(definitions[name]!.properties ?? {}).map(([field, schema]) =>
    formatField(field, schema),
  );
  lines.push(`${shortName(name)} ${fields.sort().join(' ')}`);
}
/** Types of which every field is known and none is merged: their kind alone keeps nested objects from being looked up. */
const known: string[] = [];
for (const [name, definition] of Object.entries(definitions)) {
  if (live.has(name)) continue;
  for (const gvk of definition['x-kubernetes-group-version-kind'] ?? []) {
    known.push(`${gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`} ${gvk.kind}`);
  }
}

function formatList(name: string, doc: string, items: readonly string[]): string {
  const body = items.map((item) => `  '${item}',\n`).join('');
  return `/** ${doc} */\nexport const ${name}: readonly string[] = [\n${body}];\n`;
}

function formatSet(name: string, doc: string, items: readonly string[]): string {
  const body = items.map((item) => `  '${item}',\n`).join('');
  return `/** ${doc} */\nexport const ${name}: ReadonlySet<string> = new Set([\n${body}]);\n`;
}

const target = join(folder, '../../src/objects/schema');
const head = (what: string): string =>
  `// Owns ${what}\n// Generated by test/generate/kustomize-schema.ts from ${ORIGIN}; not edited by hand.\n\n`;
writeFileSync(
  join(target, 'kustomize-types.ts'),
  `${head('the frozen field data that strategic merges of kustomize use: which lists merge by which keys.')}${[
    formatList('rootTypes', '`apiVersion kind Type` of each object type.', [...new Set(roots)].sort()),
    formatList(
      'typeFields',
      '`Type field…`: `name` is known, `name!` is known and may hold anything, `name:Type` is a map, `name+key,key:Type` a list merged by keys.',
      lines.sort(),
    ),
    formatList(
      'definitionTypes',
      '`definition Type`: the OpenAPI names of the types above, for references from a schema that a user brings.',
      [...live].sort().map((name) => `${name} ${shortName(name)}`),
    ),
    formatList(
      'plainTypes',
      '`apiVersion kind` of object types without any list that merges.',
      [...new Set(known)].sort(),
    ),
  ].join('\n')}`,
);
const scopeLines = (namespaced: boolean): string[] =>
  [...new Set(source.scopes.filter((s) => s.namespaced === namespaced).map((s) => `${s.apiVersion} ${s.kind}`))].sort();
writeFileSync(
  join(target, 'kustomize-scopes.ts'),
  `${head('the scopes of object types as kustomize knows them; exact versions count.')}${[
    formatSet('clusterScopedTypes', '`apiVersion kind` of types that live outside namespaces.', scopeLines(false)),
    formatSet('namespacedTypes', '`apiVersion kind` of types that live in namespaces.', scopeLines(true)),
  ].join('\n')}`,
);
