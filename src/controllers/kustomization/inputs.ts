// Owns what goes into a build beside source and spec: ConfigMaps and Secrets that the spec names. They are watched one
// by one, so that an interval tick asks for nothing and a change is seen at once (lockstep.md §2).
import { createHash } from 'node:crypto';
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import { driftAnnotation } from '../../api/meta/keys.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { DynamicClient } from '../../cluster/client.ts';
import type { InformerLease, Informers } from '../../cluster/informers.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { matchesLabels, parseLabelSelector } from '../../objects/selector.ts';
import { type AgeSecret, type InputReference, type Inputs, inputKey, inputReferences } from '../../render/inputs.ts';

/** Values of the Secrets that a build reads, which nothing that is told may quote. */
export function secretValuesOf(object: Kustomization, inputs: Inputs): string[] {
  // A kubeconfig's reader quotes none of it, and its server is what a message about it has to name.
  const kubeconfig = object.spec?.kubeConfig?.secretRef;
  const silent = kubeconfig === undefined ? undefined : inputKey({ kind: 'Secret', name: kubeconfig.name });
  const secrets = [...inputs].filter(([key]) => key.startsWith('Secret/') && key !== silent);
  return secrets.flatMap(([, secret]) => {
    const values = isJsonObject(secret?.['data']) ? Object.values(secret['data']) : [];
    return values
      .filter((value) => typeof value === 'string')
      .map((value) => Buffer.from(value, 'base64').toString('utf8'));
  });
}

/** A text that changes when an input does. */
export function fingerprintInputs(object: Kustomization, inputs: Inputs): string {
  const versions = [...inputs].map(([key, input]) => {
    const metadata = input?.['metadata'] as JsonObject | undefined;
    return [key, metadata?.['uid'] ?? null, metadata?.['resourceVersion'] ?? null];
  });
  const parts = { drift: object.metadata.annotations?.[driftAnnotation] ?? '', versions };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Which inputs wake: all, or those that a label selector takes. Throws SelectorError. */
export function wakingInputs(selector: string | undefined): NonNullable<WatchedInputsOptions['wakes']> {
  if (selector === undefined || selector === '') return () => true;
  const requirements = parseLabelSelector(selector);
  return (labels) => matchesLabels(requirements, new Map(Object.entries(labels)));
}

export interface WatchedInputsOptions {
  readonly informers: Informers;
  readonly client: DynamicClient;
  readonly enqueue: (key: string, trigger: string) => void;
  readonly ageSecret?: AgeSecret;
  /**
   * Whether a change of the object wakes those that name it; others are noticed at the next interval
   * (`--watch-configs-label-selector`, gate DisableConfigWatchers). @default all do
   */
  readonly wakes?: (labels: Readonly<Record<string, string>>) => boolean;
}

interface Followed {
  readonly lease: InformerLease;
  readonly removeHandler: () => void;
}

/** Follows the inputs of all Kustomizations. */
export class WatchedInputs {
  readonly #options: WatchedInputsOptions;
  readonly #followed = new Map<string, Map<string, Followed>>();

  constructor(options: WatchedInputsOptions) {
    this.#options = options;
  }

  /** The inputs of a Kustomization, from caches; by a request each where watching is not allowed. */
  async read(owner: string, object: Kustomization): Promise<Inputs> {
    const references = inputReferences(object, this.#options.ageSecret);
    return this.readAll(owner, object.metadata.namespace ?? '', references);
  }

  /** The same for objects of any owner; `namespace` is that of references without one. */
  async readAll(owner: string, namespace: string, references: readonly InputReference[]): Promise<Inputs> {
    const followed = this.#followed.get(owner) ?? new Map<string, Followed>();
    const wanted = new Set(references.map(inputKey));
    for (const [key, { lease, removeHandler }] of followed) {
      if (wanted.has(key)) continue;
      followed.delete(key);
      removeHandler();
      lease.release();
    }
    if (references.length > 0) this.#followed.set(owner, followed);
    const inputs = new Map<string, JsonObject | undefined>();
    for (const reference of references) {
      inputs.set(inputKey(reference), await this.#read(owner, reference.namespace ?? namespace, reference, followed));
    }
    return inputs;
  }

  forget(owner: string): void {
    for (const { lease, removeHandler } of this.#followed.get(owner)?.values() ?? []) {
      removeHandler();
      lease.release();
    }
    this.#followed.delete(owner);
  }

  async #read(
    owner: string,
    namespace: string,
    reference: InputReference,
    followed: Map<string, Followed>,
  ): Promise<JsonObject | undefined> {
    const { kind, name } = reference;
    const key = inputKey(reference);
    if (!followed.has(key)) {
      const fieldSelector = `metadata.name=${name}`;
      const lease = await this.#options.informers.acquire({ apiVersion: 'v1', kind }, { namespace, fieldSelector });
      const { wakes, enqueue } = this.#options;
      const changed = ({ metadata }: KubeObject): void => {
        if (wakes?.(metadata.labels ?? {}) ?? true) enqueue(owner, 'input');
      };
      const removeHandler = lease.informer.addHandler({ add: changed, update: changed, delete: changed });
      followed.set(key, { lease, removeHandler });
    }
    const { informer } = followed.get(key)!.lease;
    try {
      await informer.waitForSync({ failFast: true });
      return asJson(informer.get(namespace, name));
    } catch {
      return asJson(await this.#options.client.find({ apiVersion: 'v1', kind, namespace, name }));
    }
  }
}

function asJson(object: KubeObject | undefined): JsonObject | undefined {
  return object as unknown as JsonObject | undefined;
}
