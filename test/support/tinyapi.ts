// A very small Kubernetes API in memory, over loopback HTTP, for tests of the client and the machine alone: objects of
// a few kinds, merge patches, watches with history. Faults can be put in front of it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeObject } from '../../src/api/meta/object.ts';

export interface TinyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
}

type Mutable = { -readonly [K in keyof KubeObject]: KubeObject[K] } & Record<string, unknown>;
type Fault = (request: IncomingMessage, response: ServerResponse, body: string) => boolean;

interface Watcher {
  readonly path: string;
  readonly response: ServerResponse;
}

interface Logged {
  readonly resource: string;
  readonly namespace: string;
  readonly version: number;
  readonly line: string;
}

type Body = Record<string, unknown> & { metadata?: { name?: string; resourceVersion?: string } };

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export const widgets: TinyKind = {
  group: 'example.dev',
  version: 'v1',
  kind: 'Widget',
  resource: 'widgets',
  namespaced: true,
};
export const events: TinyKind = { group: '', version: 'v1', kind: 'Event', resource: 'events', namespaced: true };
export const leases: TinyKind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  namespaced: true,
};

/** The server. `stop` it after the test. */
export class TinyApi {
  kinds: TinyKind[];
  readonly requests: SeenRequest[] = [];
  readonly sockets = new Set<Socket>();
  /** Connections ever opened. */
  connections = 0;
  /** Serve the old discovery only. */
  legacyDiscovery = false;
  /** Called first for each request; true = it has answered. */
  fault: Fault | undefined;
  readonly #objects = new Map<string, Mutable>();
  readonly #watchers = new Set<Watcher>();
  #log: Logged[] = [];
  #version = 100;
  #forgottenBefore = 0;
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  constructor(kinds: readonly TinyKind[] = [widgets]) {
    this.kinds = [...kinds];
    this.#server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Requests that are neither watches nor discovery. */
  get calls(): string[] {
    return this.requests
      .filter(({ url }) => !url.includes('watch=true') && !/^\/apis?$/.test(url))
      .map(({ method, url }) => `${method} ${url}`);
  }

  get watching(): number {
    return this.#watchers.size;
  }

  /** Ends all watches, as a server that restarts. */
  closeWatches(): void {
    for (const { response } of this.#watchers) response.end();
    this.#watchers.clear();
  }

  /** Forgets the history: watches from before now are told 410. */
  compact(): void {
    this.#forgottenBefore = this.#version;
    this.#log = [];
  }

  bookmark(): void {
    this.#version++;
    for (const watcher of this.#watchers) {
      const object = { kind: 'Widget', metadata: { resourceVersion: String(this.#version) } };
      watcher.response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    }
  }

  get(resource: string, namespace: string, name: string): Mutable | undefined {
    return this.#objects.get(`${resource}/${namespace}/${name}`);
  }

  /** Creates or replaces an object, as another client would. */
  put(kind: TinyKind, object: { metadata: { name: string; namespace?: string } } & Record<string, unknown>): Mutable {
    const namespace = object.metadata.namespace ?? '';
    const key = `${kind.resource}/${namespace}/${object.metadata.name}`;
    const old = this.#objects.get(key);
    const { deletionTimestamp } = (old?.metadata ?? {}) as { deletionTimestamp?: string };
    const specChanged = JSON.stringify(old?.['spec']) !== JSON.stringify(object['spec']);
    const metadata = {
      ...object.metadata,
      uid: old?.metadata.uid ?? `uid-${++this.#version}`,
      generation: (old?.metadata.generation ?? 0) + (specChanged ? 1 : 0) || 1,
      resourceVersion: String(++this.#version),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    };
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    const stored = { ...object, apiVersion, kind: kind.kind, metadata } as unknown as Mutable;
    if (deletionTimestamp !== undefined && (metadata as { finalizers?: string[] }).finalizers?.length === 0) {
      this.#objects.set(key, stored);
      this.#drop(kind, key, stored);
      return stored;
    }
    this.#objects.set(key, stored);
    this.#tell(kind, namespace, old === undefined ? 'ADDED' : 'MODIFIED', stored);
    return stored;
  }

  delete(kind: TinyKind, namespace: string, name: string): void {
    const key = `${kind.resource}/${namespace}/${name}`;
    const object = this.#objects.get(key);
    if (object === undefined) return;
    if ((object.metadata.finalizers ?? []).length === 0) {
      this.#drop(kind, key, object);
      return;
    }
    const metadata = {
      ...object.metadata,
      deletionTimestamp: '2026-01-01T00:00:00Z',
      generation: (object.metadata.generation ?? 0) + 1,
      resourceVersion: String(++this.#version),
    };
    const stored = { ...object, metadata } as Mutable;
    this.#objects.set(key, stored);
    this.#tell(kind, namespace, 'MODIFIED', stored);
  }

  #drop(kind: TinyKind, key: string, object: Mutable): void {
    this.#objects.delete(key);
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.#tell(kind, object.metadata.namespace ?? '', 'DELETED', { ...object, metadata } as Mutable);
  }

  #tell(kind: TinyKind, namespace: string, type: string, object: Mutable): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#log.push({ resource: kind.resource, namespace, version: Number(object.metadata.resourceVersion), line });
    for (const { path, response } of this.#watchers) {
      if (path.endsWith(`/${kind.resource}`) && (!path.includes('/namespaces/') || path.includes(`/${namespace}/`))) {
        response.write(line);
      }
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = request.url ?? '';
    this.requests.push({ method: request.method ?? '', url, headers: request.headers, body });
    if (this.fault?.(request, response, body)) return;
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (/^\/apis?$/.test(pathname) || /^\/(api\/[^/]+|apis\/[^/]+\/[^/]+)$/.test(pathname)) {
      return this.#discover(pathname, response);
    }
    const match =
      /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
        pathname,
      );
    const kind = this.kinds.find(({ group, resource }) => group === (match?.[1] ?? '') && resource === match?.[4]);
    if (match === null || kind === undefined)
      return this.fail(response, 404, 'NotFound', 'the server could not find the requested resource');
    const [, , , namespace = '', , name] = match;
    if (searchParams.get('watch') === 'true') return this.#watch(kind, pathname, searchParams, response);
    if (name === undefined && request.method === 'GET') return this.#list(kind, namespace, searchParams, response);
    return this.#one(request, response, { kind, namespace, name, subresource: match[6], body });
  }

  #one(
    request: IncomingMessage,
    response: ServerResponse,
    target: {
      kind: TinyKind;
      namespace: string;
      name: string | undefined;
      subresource: string | undefined;
      body: string;
    },
  ): ServerResponse {
    const { kind, namespace, subresource, body } = target;
    const value = (body === '' ? {} : JSON.parse(body)) as Body;
    const name = target.name ?? value.metadata?.name ?? '';
    const key = `${kind.resource}/${namespace}/${name}`;
    const old = this.#objects.get(key);
    if (request.method === 'POST') {
      if (old !== undefined)
        return this.fail(response, 409, 'AlreadyExists', `${kind.resource} "${name}" already exists`, name);
      return this.reply(response, 201, this.put(kind, { ...value, metadata: { ...value.metadata, name, namespace } }));
    }
    const isApply = String(request.headers['content-type']).includes('apply-patch');
    if (old === undefined && !isApply)
      return this.fail(response, 404, 'NotFound', `${kind.resource} "${name}" not found`, name);
    if (request.method === 'GET') return this.reply(response, 200, old);
    if (request.method === 'DELETE') {
      this.delete(kind, namespace, name);
      return this.reply(response, 200, { kind: 'Status', status: 'Success' });
    }
    const wanted = value.metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== old?.metadata.resourceVersion) {
      return this.fail(
        response,
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${kind.resource} "${name}": the object has been modified`,
        name,
      );
    }
    const merged = request.method === 'PUT' ? value : mergePatched(old ?? {}, value);
    const next = subresource === 'status' ? { ...old, status: (merged as Mutable)['status'] } : merged;
    const metadata = { ...(next as Mutable).metadata, name, namespace };
    return this.reply(response, 200, this.put(kind, { ...(next as Record<string, unknown>), metadata }));
  }

  #list(kind: TinyKind, namespace: string, search: URLSearchParams, response: ServerResponse): ServerResponse {
    const prefix = `${kind.resource}/${namespace === '' ? '' : `${namespace}/`}`;
    const all = [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
    const start = Number(search.get('continue') ?? 0);
    const limit = Number(search.get('limit') ?? all.length);
    const items = all.slice(start, start + limit);
    const rest = start + limit < all.length ? { continue: String(start + limit) } : {};
    return this.reply(response, 200, {
      kind: `${kind.kind}List`,
      metadata: { resourceVersion: String(this.#version), ...rest },
      items: items.map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item),
    });
  }

  #watch(kind: TinyKind, path: string, search: URLSearchParams, response: ServerResponse): unknown {
    const from = Number(search.get('resourceVersion'));
    if (from < this.#forgottenBefore) return this.fail(response, 410, 'Expired', 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const namespace = /\/namespaces\/([^/]+)\//.exec(path)?.[1];
    for (const entry of this.#log) {
      const wanted = entry.resource === kind.resource && (namespace === undefined || namespace === entry.namespace);
      if (wanted && entry.version > from) response.write(entry.line);
    }
    const watcher = { path, response };
    this.#watchers.add(watcher);
    return response.on('close', () => this.#watchers.delete(watcher));
  }

  #discover(path: string, response: ServerResponse): ServerResponse {
    const groups = [...new Set(this.kinds.map(({ group }) => group))].filter(
      (group) => (path === '/api') === (group === ''),
    );
    if (!this.legacyDiscovery && (path === '/api' || path === '/apis')) {
      const items = groups.map((group) => ({
        metadata: { name: group },
        versions: [{ version: 'v1', resources: this.kinds.filter((kind) => kind.group === group).map(aggregated) }],
      }));
      return this.reply(response, 200, { kind: 'APIGroupDiscoveryList', items });
    }
    if (path === '/api')
      return this.reply(response, 200, { kind: 'APIVersions', versions: groups.length > 0 ? ['v1'] : [] });
    if (path === '/apis') {
      const list = groups.map((name) => ({ name, versions: [{ groupVersion: `${name}/v1`, version: 'v1' }] }));
      return this.reply(response, 200, { kind: 'APIGroupList', groups: list });
    }
    const group = /^\/apis\/([^/]+)\//.exec(path)?.[1] ?? '';
    const resources = this.kinds
      .filter((kind) => kind.group === group)
      .flatMap(({ kind, resource, namespaced }) => [
        { name: resource, kind, namespaced, singularName: kind.toLowerCase(), verbs: ['get', 'list', 'watch'] },
        { name: `${resource}/status`, kind, namespaced, singularName: '', verbs: ['get', 'patch'] },
      ]);
    return this.reply(response, 200, { kind: 'APIResourceList', resources });
  }

  reply(response: ServerResponse, status: number, value: unknown): ServerResponse {
    response.writeHead(status, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(value));
  }

  /** Answers with a Status object. */
  fail(response: ServerResponse, code: number, reason: string, message: string, name?: string): ServerResponse {
    const details = name === undefined ? {} : { details: { name } };
    return this.reply(response, code, {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code,
      reason,
      message,
      ...details,
    });
  }
}

function aggregated({ kind, resource, namespaced, group, version }: TinyKind): object {
  return {
    resource,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.toLowerCase(),
    verbs: ['get', 'list', 'watch'],
    subresources: [{ subresource: 'status' }],
  };
}

function mergePatched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatched(result[key], value);
  }
  return result;
}
