// Owns the OpenAPI v3 documents: the index and one document per group version. Paths carry what clients look up in them
// (verbs, kinds, parameters, patch types); schemas are the built-in definitions and those of custom resources.
import { createHash } from 'node:crypto';
import { isRecord } from '../object.ts';
import type { Registry, Resource } from '../registry.ts';
import type { Builtins } from '../schema/builtin.ts';
import { customDefinitionName, customSchema } from './custom.ts';

type Json = Record<string, unknown>;

const REF = '#/components/schemas/';

/** The index and documents; documents are rebuilt when the registry has changed. */
export interface OpenApiV3 {
  /** Body of /openapi/v3. */
  index(): string;
  /** Body of /openapi/v3/PATH (`apis/apps/v1`); undefined when there is none. */
  document(path: string): string | undefined;
}

export function createOpenApiV3(builtins: Builtins, registry: Registry): OpenApiV3 {
  let generation = -1;
  let documents = new Map<string, { text: string; hash: string }>();
  const refresh = (): void => {
    if (generation === registry.generation) return;
    generation = registry.generation;
    documents = new Map();
  };
  const paths = (): string[] => {
    const out: string[] = [];
    for (const group of registry.groups()) {
      const versions = new Set(registry.inGroup(group).flatMap((resource) => [...resource.versions.keys()]));
      for (const version of versions) out.push(group === '' ? `api/${version}` : `apis/${group}/${version}`);
    }
    return out;
  };
  const build = (path: string): { text: string; hash: string } | undefined => {
    refresh();
    const known = documents.get(path);
    if (known) return known;
    const match = /^(?:api\/([^/]+)|apis\/([^/]+)\/([^/]+))$/.exec(path);
    if (match === null) return undefined;
    const text = documentText(builtins, registry, match[2] ?? '', match[1] ?? match[3]!);
    if (text === undefined) return undefined;
    const made = { text, hash: createHash('sha512').update(text).digest('hex').toUpperCase() };
    documents.set(path, made);
    return made;
  };
  return {
    index() {
      refresh();
      const entries: Json = {};
      for (const path of paths()) {
        const hash = documents.get(path)?.hash ?? quickHash(builtins, registry, path);
        entries[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
      }
      return JSON.stringify({ paths: entries });
    },
    document: (path) => build(path)?.text,
  };
}

/** A hash that changes when the document would, without making it. */
function quickHash(builtins: Builtins, registry: Registry, path: string): string {
  const hash = createHash('sha256').update(`${builtins.version} ${path}`);
  const [, group = '', version = ''] = /^api(?:s\/([^/]+))?\/([^/]+)$/.exec(path) ?? [];
  for (const resource of registry.inGroup(group)) {
    const { custom } = resource.versions.get(version) ?? {};
    if (custom) hash.update(JSON.stringify([resource.kind, resource.plural, custom.openApi]));
  }
  return hash.digest('hex').toUpperCase();
}

function documentText(builtins: Builtins, registry: Registry, group: string, version: string): string | undefined {
  const resources = registry.inGroup(group).filter((resource) => resource.versions.has(version));
  if (resources.length === 0) return undefined;
  const schemas: Json = {};
  const wanted = new Set<string>([
    'io.k8s.apimachinery.pkg.apis.meta.v1.Status',
    'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  ]);
  const paths: Json = {};
  for (const resource of resources) {
    const served = resource.versions.get(version)!;
    const name = served.custom ? customDefinitionName(resource, version) : served.definition;
    if (served.custom) {
      schemas[name] = customSchema(resource, served);
      schemas[`${name}List`] = listSchema(resource, version, name);
      wanted.add('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta');
      collectRefs(schemas[name], wanted);
    } else wanted.add(name);
    addPaths(paths, resource, version, name);
    for (const sub of resource.subresources.get(version)?.values() ?? []) {
      const definition = builtins.definitionName(sub.group, sub.version, sub.kind);
      if (definition) wanted.add(definition);
    }
  }
  for (const name of wanted) {
    const definition = builtins.definitions[name];
    if (definition === undefined) continue;
    schemas[name] = definition;
    collectRefs(definition, wanted);
  }
  const document = {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: builtins.version },
    paths,
    components: { schemas },
  };
  return JSON.stringify(document).replaceAll('"$ref":"', `"$ref":"${REF}`).replaceAll(`${REF}${REF}`, REF);
}

function listSchema(resource: Resource, version: string, item: string): Json {
  return {
    description: `${resource.listKind} is a list of ${resource.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [{ $ref: 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' }] },
      items: { type: 'array', items: { allOf: [{ $ref: item }] } },
    },
    'x-kubernetes-group-version-kind': [{ group: resource.group, version, kind: resource.listKind }],
  };
}

/** Adds every definition that a schema refers to. */
export function collectRefs(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collectRefs(item, into);
  else if (isRecord(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string') into.add(item.slice(item.lastIndexOf('/') + 1));
      else collectRefs(item, into);
    }
  }
}

const PATCHES = ['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'];
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
  in: 'query',
  name,
  schema: { type: 'string', uniqueItems: true },
}));
const FORCE = { in: 'query', name: 'force', schema: { type: 'boolean', uniqueItems: true } };

const ACTIONS: Readonly<Record<string, readonly [method: string, action: string]>> = {
  get: ['get', 'get'],
  list: ['get', 'list'],
  create: ['post', 'post'],
  update: ['put', 'put'],
  patch: ['patch', 'patch'],
  delete: ['delete', 'delete'],
  deletecollection: ['delete', 'deletecollection'],
};

function addPaths(paths: Json, resource: Resource, version: string, definition: string): void {
  const prefix = `${resource.group === '' ? '/api' : `/apis/${resource.group}`}/${version}`;
  const place = resource.namespaced ? '/namespaces/{namespace}' : '';
  const kind = { group: resource.group, version, kind: resource.kind };
  const collection = `${prefix}${place}/${resource.plural}`;
  const body = { $ref: definition };
  paths[collection] = operations(resource, ['list', 'create', 'deletecollection'], kind, body);
  paths[`${collection}/{name}`] = operations(resource, ['get', 'update', 'patch', 'delete'], kind, body);
  if (resource.namespaced) paths[`${prefix}/${resource.plural}`] = operations(resource, ['list'], kind, body);
  for (const sub of resource.subresources.get(version)?.values() ?? []) {
    const subKind = { group: sub.group, version: sub.version, kind: sub.kind };
    paths[`${collection}/{name}/${sub.name}`] = operations(
      { ...resource, verbs: sub.verbs },
      ['get', 'update', 'patch', 'create'],
      subKind,
      body,
    );
  }
}

function operations(
  resource: Pick<Resource, 'verbs' | 'custom'>,
  verbs: readonly string[],
  kind: Json,
  body: Json,
): Json {
  const out: Json = {};
  for (const verb of verbs) {
    const action = ACTIONS[verb];
    if (action === undefined || !resource.verbs.includes(verb)) continue;
    const [method, name] = action;
    const content = (types: readonly string[]): Json =>
      Object.fromEntries(types.map((type) => [type, { schema: body }]));
    const patches = resource.custom ? PATCHES : [...PATCHES, 'application/strategic-merge-patch+json'];
    out[method] = {
      ...(['post', 'put', 'patch'].includes(method)
        ? { parameters: method === 'patch' ? [...WRITE_PARAMETERS, FORCE] : WRITE_PARAMETERS }
        : {}),
      ...(method === 'patch' ? { requestBody: { content: content(patches), required: true } } : {}),
      ...(method === 'post' || method === 'put' ? { requestBody: { content: content(['*/*']), required: true } } : {}),
      responses: { 200: { description: 'OK', content: content(['application/json', 'application/yaml']) } },
      'x-kubernetes-action': name,
      'x-kubernetes-group-version-kind': kind,
    };
  }
  return out;
}
