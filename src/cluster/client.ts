// Owns the verbs on objects of any kind: get, list, create, update, patch, apply, delete. Kinds are resolved through
// discovery; what the objects mean is not known here.
import type { KubeObject, ObjectReference } from '../api/meta/object.ts';
import { isJsonObject, type JsonObject, type JsonValue, stringifyJson } from '../lib/json.ts';
import type { Impersonation } from './access.ts';
import { isExpired, isNotFound } from './api-error.ts';
import type { Discovery, ResourceMapping } from './discovery.ts';
import { type ListPage, listPages } from './list.ts';
import { type ListOptions, listPath, objectPath, query } from './paths.ts';
import type { Method, RestClient } from './rest.ts';

/** Names a kind. */
export interface KindReference {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Limit of one attempt. @default the connection's */
  readonly timeoutMs?: number | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string | undefined;
  /** The server does everything but store. */
  readonly dryRun?: boolean | undefined;
  /** Unknown and duplicate fields are an error, or pass with a warning. @default the server's, Ignore or Warn */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes fields over from other managers instead of failing with a conflict. */
  readonly force?: boolean | undefined;
  readonly subresource?: 'status' | undefined;
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: 'status' | 'scale' | undefined;
}

/** A patch as the API takes it. */
export type Patch =
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'strategic'; readonly body: object }
  | { readonly type: 'json'; readonly body: readonly object[] };

export interface DeleteOptions extends CallOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  /** Delete only this incarnation. */
  readonly uid?: string | undefined;
  /** Delete only in this state. */
  readonly resourceVersion?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

const CONTENT_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;
const METADATA_OBJECT = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** Verbs on objects of any kind on one API server, under one identity. Every method throws `ApiError`. */
export class DynamicClient {
  readonly rest: RestClient;
  readonly discovery: Discovery;

  constructor(rest: RestClient, discovery: Discovery) {
    this.rest = rest;
    this.discovery = discovery;
  }

  /** The same server, connections and discovery under another identity. */
  as(identity: Impersonation): DynamicClient {
    return new DynamicClient(this.rest.as(identity), this.discovery);
  }

  /** The object. Throws `ApiNotFound` when it is not there, `NoMatch` when its kind is not. */
  async get<T extends KubeObject = KubeObject>(ref: ObjectReference, options: CallOptions = {}): Promise<T> {
    const mapping = await this.discovery.resolve(ref, options.signal);
    return (await this.#send(ref, 'GET', objectPath(mapping, ref.namespace, ref.name), options)) as unknown as T;
  }

  /** The object, or undefined when it is not there. Throws `NoMatch` when its kind is not. */
  async find<T extends KubeObject = KubeObject>(
    ref: ObjectReference,
    options: CallOptions = {},
  ): Promise<T | undefined> {
    return absentAsUndefined(this.get<T>(ref, options));
  }

  /** Metadata only. Undefined when the object is not there. */
  async findMetadata(ref: ObjectReference, options: CallOptions = {}): Promise<KubeObject | undefined> {
    const mapping = await this.discovery.resolve(ref, options.signal);
    const path = objectPath(mapping, ref.namespace, ref.name);
    const found = await absentAsUndefined(
      this.#send(ref, 'GET', path, options, { accept: METADATA_OBJECT }) as unknown as Promise<KubeObject>,
    );
    return found && { ...found, apiVersion: ref.apiVersion, kind: ref.kind };
  }

  /** All objects of a kind, in one array; use `pages` where there may be many. */
  async list<T extends KubeObject = KubeObject>(
    kind: KindReference,
    options: ListOptions & CallOptions = {},
  ): Promise<{ readonly items: T[]; readonly resourceVersion: string }> {
    try {
      return await collect(this.pages<T>(kind, options));
    } catch (error) {
      if (!isExpired(error)) throw error;
      return collect(this.pages<T>(kind, { ...options, limit: 0 }));
    }
  }

  /** A list page by page, so that long ones neither stall the process nor the server. */
  async *pages<T extends KubeObject = KubeObject>(
    kind: KindReference,
    options: ListOptions & CallOptions = {},
  ): AsyncGenerator<ListPage<T>> {
    const mapping = await this.discovery.resolve(kind, options.signal);
    yield* listPages<T>(this.rest, mapping, options);
  }

  /** Creates the object. Throws `ApiAlreadyExists` when there is one of that name. */
  async create<T extends KubeObject = KubeObject>(object: NoInfer<T>, options: WriteOptions = {}): Promise<T> {
    const mapping = await this.discovery.resolve(object, options.signal);
    const path = listPath(mapping, object.metadata.namespace) + query(writeQuery(options));
    return (await this.#send(object, 'POST', path, options, { body: stringifyJson(object) })) as unknown as T;
  }

  /** Replaces the object; with a `resourceVersion` in it only when that is still the newest. */
  async update<T extends KubeObject = KubeObject>(object: NoInfer<T>, options: PatchOptions = {}): Promise<T> {
    const mapping = await this.discovery.resolve(object, options.signal);
    const path = this.#objectPath(mapping, object, options.subresource) + query(writeQuery(options));
    return (await this.#send(object, 'PUT', path, options, { body: stringifyJson(object) })) as unknown as T;
  }

  /** Server-side apply. Returns the object as stored (or as it would be, with `dryRun`). */
  async apply<T extends KubeObject = KubeObject>(object: KubeObject, options: ApplyOptions): Promise<T> {
    const mapping = await this.discovery.resolve(object, options.signal);
    const path =
      this.#objectPath(mapping, object, options.subresource) +
      query({ ...writeQuery(options), force: options.force ? 'true' : undefined });
    const answer = await this.#send(object, 'PATCH', path, options, {
      body: stringifyJson(object),
      contentType: 'application/apply-patch+yaml',
      idempotent: true,
    });
    return answer as unknown as T;
  }

  /** Patches the object. Merge patches end the same when sent twice and survive a lost connection; JSON patches do not. */
  async patch<T extends KubeObject = KubeObject>(
    ref: ObjectReference,
    patch: Patch,
    options: PatchOptions = {},
  ): Promise<T> {
    const mapping = await this.discovery.resolve(ref, options.signal);
    const base = objectPath(mapping, ref.namespace, ref.name);
    const path = (options.subresource ? `${base}/${options.subresource}` : base) + query(writeQuery(options));
    const answer = await this.#send(ref, 'PATCH', path, options, {
      body: stringifyJson(patch.body),
      contentType: CONTENT_TYPES[patch.type],
      idempotent: patch.type !== 'json',
    });
    return answer as unknown as T;
  }

  /** Deletes the object. False when it was not there (any more). Throws `ApiConflict` when a precondition fails. */
  async delete(ref: ObjectReference, options: DeleteOptions = {}): Promise<boolean> {
    const mapping = await this.discovery.resolve(ref, options.signal);
    const preconditions = {
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
    };
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(options.propagation === undefined ? {} : { propagationPolicy: options.propagation }),
      ...(options.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds }),
      ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
      ...(options.dryRun ? { dryRun: ['All'] } : {}),
    };
    try {
      await this.#send(ref, 'DELETE', objectPath(mapping, ref.namespace, ref.name), options, {
        body: stringifyJson(body),
        // Without a uid a second try could hit an object that was created meanwhile.
        idempotent: options.uid !== undefined,
      });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Sends any request that has no verb here, e.g. a SelfSubjectAccessReview's or `/version`. */
  async raw(method: 'GET' | 'POST', path: string, body?: object, options: CallOptions = {}): Promise<JsonValue> {
    return this.rest.json({
      method,
      path,
      body: body === undefined ? undefined : stringifyJson(body),
      idempotent: method === 'GET',
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    });
  }

  #objectPath(mapping: ResourceMapping, object: KubeObject, subresource: string | undefined): string {
    const path = objectPath(mapping, object.metadata.namespace, object.metadata.name);
    return subresource === undefined ? path : `${path}/${subresource}`;
  }

  async #send(
    kind: KindReference,
    method: Method,
    path: string,
    options: CallOptions,
    more: { body?: string; contentType?: string; accept?: string; idempotent?: boolean } = {},
  ): Promise<JsonObject> {
    try {
      const answer = await this.rest.json({
        method,
        path,
        idempotent: more.idempotent ?? method === 'GET',
        body: more.body,
        contentType: more.contentType,
        accept: more.accept,
        signal: options.signal,
        timeoutMs: options.timeoutMs,
      });
      return isJsonObject(answer) ? answer : {};
    } catch (error) {
      if (!isNotFound(error) || error.data.noResource !== true) throw error;
      // The kind went away since it was discovered: say that rather than "could not find the requested resource".
      this.discovery.forget(kind);
      await this.discovery.resolve(kind, options.signal);
      throw error;
    }
  }
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return {
    fieldManager: options.fieldManager,
    dryRun: options.dryRun ? 'All' : undefined,
    fieldValidation: options.fieldValidation,
  };
}

async function collect<T extends KubeObject>(pages: AsyncIterable<ListPage<T>>) {
  const items: T[] = [];
  let resourceVersion = '';
  for await (const page of pages) {
    for (const item of page.items) items.push(item);
    resourceVersion = page.resourceVersion;
  }
  return { items, resourceVersion };
}

async function absentAsUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
