// Owns the list of resources that the server serves, built-in and custom, and how paths and kinds find them. What a
// request does with a resource is rest/ and api.ts.
import type { BuiltinSubresource, Builtins } from './schema/builtin.ts';
import type { RawSchema, SchemaNode } from './schema/node.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

/** What a custom resource's version adds to the common part. */
export interface CustomVersion {
  readonly columns: readonly PrinterColumn[];
  readonly hasStatus: boolean;
  readonly scale:
    | { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string }
    | undefined;
  readonly selectableFields: readonly string[];
  readonly deprecated: boolean;
  readonly deprecationWarning: string | undefined;
  /** The version's `openAPIV3Schema`. */
  readonly openApi: RawSchema;
}

export interface ServedVersion {
  readonly name: string;
  readonly schema: SchemaNode;
  readonly definition: string;
  readonly custom: CustomVersion | undefined;
}

export interface Subresource {
  readonly name: string;
  readonly kind: string;
  /** Group and version of the subresource's own kind. */
  readonly group: string;
  readonly version: string;
  readonly verbs: readonly string[];
}

/** One resource in all its served versions. */
export interface Resource {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly versions: ReadonlyMap<string, ServedVersion>;
  /** Version that objects are stored in; their `apiVersion` is this one's. */
  readonly storageVersion: string;
  /** Subresources per version name. */
  readonly subresources: ReadonlyMap<string, ReadonlyMap<string, Subresource>>;
  /** Name of the storage collection. */
  readonly collection: string;
  readonly custom: boolean;
}

/** `apps/v1`, `v1`. */
export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `{ group: 'apps', version: 'v1' }` of `apps/v1`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The API version in which managedFields of a write to this version are kept. */
export function servedSchema(resource: Resource, apiVersion: string): SchemaNode | undefined {
  const { group, version } = parseApiVersion(apiVersion);
  return group === resource.group ? resource.versions.get(version)?.schema : undefined;
}

/** Kinds that two groups serve over one collection: `group/plural` → the collection that holds them. */
const SHARED_COLLECTIONS: Readonly<Record<string, string>> = { 'events.k8s.io/events': '/events' };

export class Registry {
  private readonly byPath = new Map<string, Resource>();
  private readonly byKind = new Map<string, Resource>();
  private readonly groupOrder: string[] = [];
  /** Counts changes; caches of discovery and OpenAPI compare it. */
  generation = 0;

  constructor(builtins: Builtins) {
    for (const group of builtins.groups) {
      this.groupOrder.push(group.name);
      for (const resource of builtinResources(builtins, group.name)) this.add(resource);
    }
  }

  add(resource: Resource): void {
    this.byPath.set(`${resource.group}/${resource.plural}`, resource);
    this.byKind.set(`${resource.group}/${resource.kind}`, resource);
    if (!this.groupOrder.includes(resource.group)) this.groupOrder.push(resource.group);
    this.generation++;
  }

  remove(group: string, plural: string): void {
    const resource = this.byPath.get(`${group}/${plural}`);
    if (resource === undefined) return;
    this.byPath.delete(`${group}/${plural}`);
    this.byKind.delete(`${group}/${resource.kind}`);
    if (this.inGroup(group).length === 0) this.groupOrder.splice(this.groupOrder.indexOf(group), 1);
    this.generation++;
  }

  find(group: string, plural: string): Resource | undefined {
    return this.byPath.get(`${group}/${plural}`);
  }

  findKind(group: string, kind: string): Resource | undefined {
    return this.byKind.get(`${group}/${kind}`);
  }

  /** Group names: built-in ones in the API server's order, then custom ones by age. */
  groups(): readonly string[] {
    return this.groupOrder;
  }

  inGroup(group: string): Resource[] {
    return [...this.byPath.values()].filter((resource) => resource.group === group);
  }

  all(): Resource[] {
    return [...this.byPath.values()];
  }
}

function builtinResources(builtins: Builtins, groupName: string): Resource[] {
  const group = builtins.groups.find(({ name }) => name === groupName)!;
  const plurals = new Set(group.versions.flatMap(({ resources }) => resources.map(({ name }) => name)));
  return [...plurals].map((plural) => {
    const versions = new Map<string, ServedVersion>();
    const subresources = new Map<string, Map<string, Subresource>>();
    for (const { version, resources } of group.versions) {
      const row = resources.find(({ name }) => name === plural);
      const definition = row && builtins.definitionName(groupName, version, row.kind);
      if (row === undefined || definition === undefined) continue;
      versions.set(version, { name: version, schema: builtins.schema(definition), definition, custom: undefined });
      subresources.set(version, describeSubresources(row.subresources ?? {}, groupName, version));
    }
    const first = group.versions.flatMap(({ resources }) => resources).find(({ name }) => name === plural)!;
    return {
      group: groupName,
      plural,
      singular: first.singular,
      kind: first.kind,
      listKind: `${first.kind}List`,
      namespaced: first.namespaced,
      shortNames: first.shortNames ?? [],
      categories: first.categories ?? [],
      verbs: first.verbs,
      versions,
      storageVersion: versions.keys().next().value ?? 'v1',
      subresources,
      collection: SHARED_COLLECTIONS[`${groupName}/${plural}`] ?? `${groupName}/${plural}`,
      custom: false,
    };
  });
}

function describeSubresources(
  rows: Readonly<Record<string, BuiltinSubresource>>,
  group: string,
  version: string,
): Map<string, Subresource> {
  const out = new Map<string, Subresource>();
  for (const [name, row] of Object.entries(rows)) {
    out.set(name, {
      name,
      kind: row.kind,
      group: row.group ?? group,
      version: row.version ?? version,
      verbs: row.verbs,
    });
  }
  return out;
}
