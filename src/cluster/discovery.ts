// Owns which kinds a server has and where: kind -> resource, scope, verbs. Asking is done once and again when a kind
// is not known or CustomResourceDefinitions changed.
import { orAborted } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { isNotFound } from './api-error.ts';
import type { RestClient } from './rest.ts';

/** Where a kind is served. */
export interface ResourceMapping {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural as in paths. */
  readonly resource: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Names of its subresources, e.g. `status`. Empty when the server has only the old discovery of some versions. */
  readonly subresources: readonly string[];
}

/** Code `NoMatch`: the server does not serve the kind; its CustomResourceDefinition may be missing. */
export class NoMatchError extends CodedError<'NoMatch', { readonly apiVersion: string; readonly kind: string }> {}

export interface DiscoveryOptions {
  readonly clock: Clock;
  /** An unknown kind makes the server be asked again at most this often. @default 5_000 */
  readonly minRefreshMs?: number;
}

type KindKey = { readonly apiVersion: string; readonly kind: string };

const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/** The kinds of one API server, cached. */
export class Discovery {
  readonly #rest: RestClient;
  readonly #clock: Clock;
  readonly #minRefreshMs: number;
  #kinds = new Map<string, ResourceMapping>();
  /** Undefined: never asked, or told that kinds changed. */
  #askedAt: number | undefined;
  #asking: Promise<void> | undefined;

  constructor(rest: RestClient, options: DiscoveryOptions) {
    this.#rest = rest;
    this.#clock = options.clock;
    this.#minRefreshMs = options.minRefreshMs ?? 5_000;
  }

  /** What is known of a kind without asking. */
  peek(ref: KindKey): ResourceMapping | undefined {
    return this.#kinds.get(keyOf(ref.apiVersion, ref.kind));
  }

  /** Where a kind is served. Throws `NoMatchError` when it is not, and `ApiError` when the server cannot be asked. */
  async resolve(ref: KindKey, signal?: AbortSignal): Promise<ResourceMapping> {
    const known = this.peek(ref);
    if (known !== undefined) return known;
    // Others may wait for the same answer: one who gives up ends only his own wait.
    if (this.#asking !== undefined || this.#mayAsk()) await orAborted(this.#refresh(), signal);
    signal?.throwIfAborted();
    const found = this.peek(ref);
    if (found !== undefined) return found;
    throw new NoMatchError('NoMatch', `no matches for kind "${ref.kind}" in version "${ref.apiVersion}"`, {
      apiVersion: ref.apiVersion,
      kind: ref.kind,
    });
  }

  /** All kinds, newest answer that there is. */
  async all(): Promise<ResourceMapping[]> {
    if (this.#askedAt === undefined) await this.#refresh();
    return [...this.#kinds.values()];
  }

  /** Kinds were added or removed: the next unknown kind asks at once, and known ones are asked for anew with it. */
  invalidate(): void {
    this.#askedAt = undefined;
  }

  /** Forgets one kind, e.g. after its resource answered 404. */
  forget(ref: KindKey): void {
    if (this.#kinds.delete(keyOf(ref.apiVersion, ref.kind))) this.#askedAt = undefined;
  }

  /** Forgets the kinds of one resource in all versions, e.g. when its CustomResourceDefinition went away. */
  forgetResource(group: string, resource: string): void {
    for (const mapping of [...this.#kinds.values()]) {
      if (mapping.group !== group || mapping.resource !== resource) continue;
      this.forget({ apiVersion: groupVersion(group, mapping.version), kind: mapping.kind });
    }
  }

  #mayAsk(): boolean {
    return this.#askedAt === undefined || this.#clock.monotonic() - this.#askedAt >= this.#minRefreshMs;
  }

  async #refresh(): Promise<void> {
    // One question at a time; all who wait share the answer.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #ask(): Promise<void> {
    // Stamped before asking: a change that is told meanwhile clears it again.
    const before = this.#askedAt;
    this.#askedAt = this.#clock.monotonic();
    try {
      const [core, groups] = await Promise.all([this.#get('/api'), this.#get('/apis')]);
      const kinds = new Map<string, ResourceMapping>();
      for (const mapping of [...(await this.#read(core)), ...(await this.#read(groups))]) {
        const key = keyOf(groupVersion(mapping.group, mapping.version), mapping.kind);
        if (!kinds.has(key)) kinds.set(key, mapping);
      }
      this.#kinds = kinds;
    } catch (error) {
      this.#askedAt = before;
      throw error;
    }
  }

  async #get(path: string): Promise<JsonObject> {
    const answer = await this.#rest.json({ method: 'GET', path, accept: AGGREGATED, idempotent: true });
    return isJsonObject(answer) ? answer : {};
  }

  async #read(answer: JsonObject): Promise<ResourceMapping[]> {
    switch (answer['kind']) {
      case 'APIGroupDiscoveryList':
        return readAggregated(answer);
      case 'APIVersions':
        return (await Promise.all(strings(answer['versions']).map((version) => this.#readLegacy('', version)))).flat();
      case 'APIGroupList': {
        const versions = objects(answer['groups']).flatMap((group) =>
          objects(group['versions']).map((version) => [text(group['name']), text(version['version'])] as const),
        );
        return (await Promise.all(versions.map(([group, version]) => this.#readLegacy(group, version)))).flat();
      }
      default:
        return [];
    }
  }

  async #readLegacy(group: string, version: string): Promise<ResourceMapping[]> {
    try {
      return readResourceList(
        await this.#get(group === '' ? `/api/${version}` : `/apis/${group}/${version}`),
        group,
        version,
      );
    } catch (error) {
      // An aggregated API whose server is down, or a group removed between the two questions: the rest still counts.
      if (isNotFound(error) || (error as { data?: { status?: number } }).data?.status === 503) return [];
      throw error;
    }
  }
}

function readAggregated(list: JsonObject): ResourceMapping[] {
  const mappings: ResourceMapping[] = [];
  for (const group of objects(list['items'])) {
    const groupName = isJsonObject(group['metadata']) ? text(group['metadata']['name']) : '';
    for (const version of objects(group['versions'])) {
      for (const resource of objects(version['resources'])) {
        const responseKind = isJsonObject(resource['responseKind']) ? resource['responseKind'] : {};
        mappings.push({
          group: groupName,
          version: text(version['version']),
          kind: text(responseKind['kind']),
          resource: text(resource['resource']),
          singular: text(resource['singularResource']),
          namespaced: resource['scope'] === 'Namespaced',
          verbs: strings(resource['verbs']),
          shortNames: strings(resource['shortNames']),
          categories: strings(resource['categories']),
          subresources: objects(resource['subresources']).map((sub) => text(sub['subresource'])),
        });
      }
    }
  }
  return mappings;
}

function readResourceList(list: JsonObject, group: string, version: string): ResourceMapping[] {
  const resources = objects(list['resources']);
  const subresources = new Map<string, string[]>();
  for (const resource of resources) {
    const [parent, sub] = text(resource['name']).split('/');
    if (sub !== undefined) subresources.set(parent!, [...(subresources.get(parent!) ?? []), sub]);
  }
  return resources
    .filter((resource) => !text(resource['name']).includes('/'))
    .map((resource) => ({
      group,
      version,
      kind: text(resource['kind']),
      resource: text(resource['name']),
      singular: text(resource['singularName']),
      namespaced: resource['namespaced'] === true,
      verbs: strings(resource['verbs']),
      shortNames: strings(resource['shortNames']),
      categories: strings(resource['categories']),
      subresources: subresources.get(text(resource['name'])) ?? [],
    }));
}

/** `group/version`, or the version alone in the core group. */
export function groupVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

function keyOf(apiVersion: string, kind: string): string {
  return `${apiVersion} ${kind}`;
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function strings(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
