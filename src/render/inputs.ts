// Owns which ConfigMaps and Secrets go into a Kustomization beside source and spec, and the names they are read under.
// Reading and watching them is the controller's business.
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import type { JsonObject } from '../lib/json.ts';

/** A ConfigMap or Secret; of the Kustomization's namespace unless it names another. */
export interface InputReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** Only of objects outside the Kustomization's namespace. */
  readonly namespace?: string;
}

/** What was read, by `inputKey`; undefined for an object that is not there. */
export type Inputs = ReadonlyMap<string, JsonObject | undefined>;

/** The age keys that decrypt where a spec names no Secret (`--sops-age-secret`). */
export type AgeSecret = { readonly namespace: string; readonly name: string } | undefined;

/** The Secret that a Kustomization decrypts with; undefined when there is none. */
export function decryptionSecret({ spec }: Kustomization, ageSecret: AgeSecret): InputReference | undefined {
  if (spec?.decryption === undefined) return undefined;
  const { secretRef } = spec.decryption;
  if (secretRef !== undefined) return { kind: 'Secret', name: secretRef.name };
  return ageSecret === undefined ? undefined : { kind: 'Secret', ...ageSecret };
}

/** The objects that a Kustomization's spec names, each once. */
export function inputReferences(object: Kustomization, ageSecret?: AgeSecret): readonly InputReference[] {
  const { secretRef, configMapRef } = object.spec?.kubeConfig ?? {};
  const references = renderReferences(object, ageSecret);
  if (secretRef !== undefined) references.push({ kind: 'Secret', name: secretRef.name });
  if (configMapRef !== undefined) references.push({ kind: 'ConfigMap', name: configMapRef.name });
  return distinct(references);
}

/** Those that rendering reads: not the credentials of the cluster that is applied to. */
export function renderInputs(object: Kustomization, inputs: Inputs, ageSecret?: AgeSecret): Inputs {
  const keys = distinct(renderReferences(object, ageSecret)).map(inputKey);
  return new Map(keys.map((key) => [key, inputs.get(key)]));
}

/** The name of an input among `Inputs`. */
export function inputKey({ kind, name, namespace }: InputReference): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function renderReferences(object: Kustomization, ageSecret: AgeSecret): InputReference[] {
  const sources = object.spec?.postBuild?.substituteFrom ?? [];
  const references: InputReference[] = sources.map(({ kind, name }) => ({ kind, name }));
  const decryption = decryptionSecret(object, ageSecret);
  return decryption === undefined ? references : [...references, decryption];
}

function distinct(references: readonly InputReference[]): InputReference[] {
  return [...new Map(references.map((reference) => [inputKey(reference), reference])).values()];
}
