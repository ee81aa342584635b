// Generates src/sandbox/schema/builtin.generated.json: what the embedded API server knows of the built-in kinds, taken
// from the OpenAPI and discovery documents that the Kubernetes sources ship. Nothing in it is typed by hand.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = 'v1.36.3';
const MODULE = `k8s.io/kubernetes@${VERSION}`;
const OUTPUT = join(import.meta.dirname, '../../src/sandbox/schema/builtin.generated.json');
const DESCRIPTION_LIMIT = 160;
const REF_PREFIX = '#/components/schemas/';

type Json = Record<string, unknown>;

interface DiscoveryResource {
  resource: string;
  responseKind: { group: string; version: string; kind: string };
  scope: string;
  singularResource: string;
  shortNames?: string[];
  categories?: string[];
  verbs: string[];
  subresources?: {
    subresource: string;
    responseKind?: { group: string; version: string; kind: string };
    verbs: string[];
  }[];
}

function moduleFolder(): string {
  const answer = execFileSync('go', ['mod', 'download', '-json', MODULE], { cwd: '/tmp', encoding: 'utf8' });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

/** First sentence, cut at a word: kubectl explain shows it, and the whole prose would be most of the file. */
function shorten(text: string): string {
  const sentence = /^[\s\S]*?[.](?=\s|$)/.exec(text)?.[0] ?? text;
  const flat = sentence.replace(/\s+/g, ' ').trim();
  if (flat.length <= DESCRIPTION_LIMIT) return flat;
  return `${flat.slice(0, DESCRIPTION_LIMIT).replace(/\s\S*$/, '')}…`;
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  const out: Json = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === 'description' && typeof item === 'string') out[key] = shorten(item);
    else if (key === '$ref' && typeof item === 'string') out[key] = item.slice(REF_PREFIX.length);
    else if (key === 'x-kubernetes-group-version-kind' && Array.isArray(item) && item.length > 3) continue;
    else out[key] = compact(item);
  }
  return out;
}

function collectRefs(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectRefs(item, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string') into.add(item);
      else collectRefs(item, into);
    }
  }
}

function describeResource(row: DiscoveryResource): Json {
  const subresources: Json = {};
  for (const sub of row.subresources ?? []) {
    const kind = sub.responseKind;
    subresources[sub.subresource] = {
      ...(kind?.group ? { group: kind.group } : {}),
      ...(kind?.version ? { version: kind.version } : {}),
      kind: kind?.kind ?? row.responseKind.kind,
      verbs: sub.verbs,
    };
  }
  return {
    name: row.resource,
    singular: row.singularResource,
    kind: row.responseKind.kind,
    namespaced: row.scope === 'Namespaced',
    ...(row.shortNames ? { shortNames: row.shortNames } : {}),
    ...(row.categories ? { categories: row.categories } : {}),
    verbs: row.verbs,
    ...(Object.keys(subresources).length > 0 ? { subresources } : {}),
  };
}

interface LegacyResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
}

/** The core group's old discovery list in the aggregated form. */
function fromLegacy(list: LegacyResource[]): DiscoveryResource[] {
  const rows = list.filter((row) => !row.name.includes('/'));
  return rows.map((row) => ({
    resource: row.name,
    responseKind: { group: '', version: '', kind: row.kind },
    scope: row.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: row.singularName,
    ...(row.shortNames ? { shortNames: row.shortNames } : {}),
    ...(row.categories ? { categories: row.categories } : {}),
    verbs: row.verbs,
    subresources: list
      .filter((sub) => sub.name.startsWith(`${row.name}/`))
      .map((sub) => ({
        subresource: sub.name.slice(row.name.length + 1),
        responseKind: { group: sub.group ?? '', version: sub.version ?? '', kind: sub.kind },
        verbs: sub.verbs,
      })),
  }));
}

function generate(): void {
  const api = join(moduleFolder(), 'api');
  const readJson = (path: string): Json => JSON.parse(readFileSync(join(api, path), 'utf8')) as Json;

  const aggregated = readJson('discovery/aggregated_v2.json') as unknown as {
    items: { metadata: { name: string }; versions: { version: string; resources: DiscoveryResource[] }[] }[];
  };
  const core = readJson('discovery/api__v1.json') as unknown as { resources: LegacyResource[] };
  const groups = [
    { name: '', versions: [{ version: 'v1', resources: fromLegacy(core.resources).map(describeResource) }] },
    // Alpha and beta versions are off by default in the real server, and so here.
    ...aggregated.items.map((group) => ({
      name: group.metadata.name,
      versions: group.versions
        .filter(({ version }) => /^v\d+$/.test(version))
        .map(({ version, resources }) => ({ version, resources: resources.map(describeResource) })),
    })),
  ].filter((group) => group.versions.length > 0);

  const all: Json = {};
  for (const file of readdirSync(join(api, 'openapi-spec/v3'))) {
    const document = readJson(`openapi-spec/v3/${file}`) as { components?: { schemas?: Json } };
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) all[name] = compact(schema);
  }
  const wanted = new Set<string>([
    'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
    'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
    'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
  ]);
  const roots: Json = {};
  const kinds = new Set<string>();
  for (const group of groups) {
    for (const { version, resources } of group.versions) {
      for (const resource of resources as {
        kind: string;
        subresources?: Record<string, { group?: string; version?: string; kind: string }>;
      }[]) {
        kinds.add(`${group.name}/${version}/${resource.kind}`);
        for (const sub of Object.values(resource.subresources ?? {})) {
          kinds.add(`${sub.group ?? group.name}/${sub.version ?? version}/${sub.kind}`);
        }
      }
    }
  }
  for (const [name, schema] of Object.entries(all)) {
    const rows = (schema as Json)['x-kubernetes-group-version-kind'] as
      | { group: string; version: string; kind: string }[]
      | undefined;
    for (const { group, version, kind } of rows ?? []) {
      if (!kinds.has(`${group}/${version}/${kind}`)) continue;
      roots[`${group}/${version}/${kind}`] = name;
      wanted.add(name);
    }
  }
  for (const name of wanted) {
    if (!(name in all)) throw new Error(`${name} is in no OpenAPI document`);
    const refs = new Set<string>();
    collectRefs(all[name], refs);
    // A Set grows while it is walked, so this follows references to the end.
    for (const ref of refs) wanted.add(ref);
  }
  const schemas: Json = {};
  for (const name of [...wanted].sort()) schemas[name] = all[name];

  const text = JSON.stringify({
    origin: `${MODULE} api/discovery and api/openapi-spec/v3, by test/generate/schemas.ts`,
    version: VERSION,
    groups,
    roots,
    schemas,
  });
  writeFileSync(OUTPUT, `${text}\n`);
  console.log(`${OUTPUT}: ${text.length} bytes, ${Object.keys(schemas).length} schemas, ${kinds.size} kinds`);
}

generate();
