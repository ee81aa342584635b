// Owns the contract of the in-process API: what controllers inside the sandbox (stages, garbage collection) may call.
// It is the same pipeline that HTTP requests take (defaults, generation, managedFields, watch). Implemented by api.ts.
import type { KubeObject } from './object.ts';

/** A resource whatever its version: `{ group: 'apps', resource: 'deployments' }`; the core group is ''. */
export interface ResourceId {
  readonly group: string;
  readonly resource: string;
}

export interface ListOptions {
  /** Absent or '' lists all namespaces. */
  readonly namespace?: string;
  /** Equality on labels; every pair must match. */
  readonly matchLabels?: Readonly<Record<string, string>>;
}

export interface WriteOptions {
  /** Field manager written to managedFields. @default 'kube-controller-manager' */
  readonly manager?: string;
}

export interface UpdateOptions extends WriteOptions {
  /** 'status' changes the status alone; any other named subresource of the kind likewise. @default '' */
  readonly subresource?: string;
}

export interface DeleteOptions {
  /** @default 'Background' */
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  /** Refused with 409 when the live object has another uid. */
  readonly uid?: string;
  /** Seconds; 0 removes at once. Only kinds that delete gracefully (Pod) look at it. */
  readonly gracePeriodSeconds?: number;
}

/** One change, in the order of its resourceVersion. `object` is shared: copy before changing. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

/**
 * The API server's objects as synchronous calls. Objects are in the resource's storage version (`apps/v1`), shared and
 * not to be changed. Faults are thrown as `ApiError` (rest/errors.ts), with the code and words HTTP clients get:
 * 404 NotFound, 409 AlreadyExists or Conflict, 422 Invalid.
 */
export interface Store {
  /** The object, or undefined when it is absent. Cluster-scoped kinds have namespace ''. */
  get(id: ResourceId, namespace: string, name: string): KubeObject | undefined;

  /** Objects in order of namespace and name. An unknown resource has none. */
  list(id: ResourceId, options?: ListOptions): readonly KubeObject[];

  /**
   * Calls the listener for every later change, in order, in a microtask after the write (never inside it), so the
   * listener may itself write. With `initial`, first one ADDED for each object there is.
   * @returns a function that stops the watch.
   */
  watch(id: ResourceId, listener: (event: StoreEvent) => void, options?: { readonly initial?: boolean }): () => void;

  /** Creates; `metadata.generateName` is honoured. Returns what was stored. */
  create(id: ResourceId, object: KubeObject, options?: WriteOptions): KubeObject;

  /**
   * Replaces. With `metadata.resourceVersion` set it must be the live one (409 otherwise). A write that changes nothing
   * keeps the resourceVersion and sends no event.
   */
  update(id: ResourceId, object: KubeObject, options?: UpdateOptions): KubeObject;

  /** Deletes, honouring finalizers and graceful deletion. Returns the object as it last was; 404 when absent. */
  delete(id: ResourceId, namespace: string, name: string, options?: DeleteOptions): KubeObject;
}
