// Owns the shape of what every part of the server shares: storage, registry, clock, and the description of a request.
import type { RuleEngine } from './crd/rules.ts';
import type { KubeObject } from './object.ts';
import type { Registry, Resource, ServedVersion } from './registry.ts';
import type { Builtins } from './schema/builtin.ts';
import type { Storage } from './storage/storage.ts';

/** Who asks. */
export interface Caller {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Steps that some kinds add to writes: allocation, protection, derived fields. See admission/. */
export interface AdmissionStep {
  /** `group/Kind` that the step is for; '*' for all. */
  readonly kind: string;
  /** Returns the object to store; `live` is undefined for a create. Throws ApiError to refuse. */
  admit(core: Core, write: WriteRequest, object: KubeObject, live: KubeObject | undefined): KubeObject;
}

export interface Core {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly builtins: Builtins;
  readonly admission: readonly AdmissionStep[];
  /** Evaluates the rules of custom resources; absent, their rules are not enforced and CRDs that have any warn. */
  readonly rules: RuleEngine | undefined;
  readonly now: () => Date;
  /** Random hexadecimal digits, for uids and generated names. */
  readonly uuid: () => string;
  readonly randomSuffix: () => string;
}

/** What a write is about, apart from the body. */
export interface WriteRequest {
  readonly resource: Resource;
  readonly version: ServedVersion;
  /** '' for cluster-scoped resources. */
  readonly namespace: string;
  /** '' for a create by collection. */
  readonly name: string;
  /** '' for the main resource. */
  readonly subresource: string;
  readonly manager: string;
  readonly caller: Caller;
  readonly dryRun: boolean;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** What only strict reading minds in the body's text, and how a refusal tells it. */
  readonly repeated?: { readonly faults: readonly string[]; readonly joined: string };
  /** Warnings for the client, added to while the request runs. */
  readonly warnings: string[];
}

/** A write of the server itself, to the main resource. */
export function systemWrite(
  place: Pick<WriteRequest, 'resource' | 'version' | 'namespace' | 'name'>,
  manager: string,
): WriteRequest {
  return {
    ...place,
    subresource: '',
    manager,
    caller: { name: 'system:apiserver', groups: ['system:masters'] },
    dryRun: false,
    fieldValidation: 'Strict',
    warnings: [],
  };
}

/** RFC 3339 with whole seconds, as metadata has times. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
