// Owns one Kustomization's whole way from files to objects: decrypt, build, decrypt again, substitute, label. Plain data
// in, plain data out, so that it runs on the event loop and in a worker thread alike; the loop around what a build misses
// is offload/renderer.ts.
import { createHash } from 'node:crypto';
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import type { Fetched, Missing } from '../engines/kustomize/missing.ts';
import type { FileTree } from '../lib/filetree.ts';
import { type JsonObject, stringifyJson } from '../lib/json.ts';
import type { Manifest } from '../objects/manifest.ts';
import { decryptObjects, decryptSources } from './decrypt.ts';
import { type AgeSecret, decryptionSecret, type InputReference, type Inputs, inputKey } from './inputs.ts';
import { buildObjects, labelObjects } from './kustomization.ts';
import { RenderError } from './render-error.ts';
import { type DecryptionKeys, readDecryptionKeys } from './sops/data-key.ts';
import { collectVariables, type SubstitutionVariables, substituteObjects, unreadableSource } from './substitute.ts';

/** What a build made of a source. */
export interface RenderedObjects {
  readonly objects: readonly Manifest[];
  /** `sha256:<hex>` of what was built. */
  readonly digest: string;
  /** Values that must not be shown to anybody. */
  readonly secrets: readonly string[];
}

/** The objects, or what has to be fetched before the build can go on. */
export type SourceRender =
  | { readonly state: 'built'; readonly rendered: RenderedObjects }
  | { readonly state: 'missing'; readonly missing: readonly Missing[] };

/** What is the same for all builds of a process. */
export interface RenderSettings {
  /** Refuse variables that are not set (gate StrictPostBuildSubstitutions). */
  readonly strict: boolean;
  readonly ageSecret: AgeSecret;
}

/** Builds once. Throws the errors of this room; their messages carry no secret value. */
export async function renderSource(
  tree: FileTree,
  object: Kustomization,
  inputs: Inputs,
  { settings, fetched }: { readonly settings: RenderSettings; readonly fetched?: Fetched | undefined },
): Promise<SourceRender> {
  const keys = await readKeys(object, inputs, settings.ageSecret);
  const source = keys === undefined ? tree : await decryptSources(tree, object.spec!, keys);
  const built = buildObjects(source, object, fetched);
  if (built.state === 'missing') return built;
  const decrypted = keys === undefined ? built.objects : await decryptObjects(built.objects, keys);
  const variables = readVariables(object, inputs);
  const always = object.spec!.postBuild?.substituteStrategy === 'Always';
  const substituted =
    variables === undefined ? decrypted : substituteObjects(decrypted, { variables, strict: settings.strict, always });
  const objects = labelObjects(substituted, object);
  const text = substituted === built.objects ? built.yaml : stringifyJson(substituted);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { state: 'built', rendered: { objects, digest, secrets: secretValues(objects, variables) } };
}

async function readKeys(
  object: Kustomization,
  inputs: Inputs,
  ageSecret: AgeSecret,
): Promise<DecryptionKeys | undefined> {
  if (object.spec?.decryption === undefined) return undefined;
  const data = new Map<string, Uint8Array>();
  const reference = decryptionSecret(object, ageSecret);
  if (reference !== undefined) {
    const secret = expectInput(reference, object, inputs);
    for (const [key, value] of Object.entries((secret['data'] ?? {}) as JsonObject)) {
      // The Secret of all holds age keys alone.
      const isWanted = reference.namespace === undefined || key.endsWith('.agekey');
      if (isWanted && typeof value === 'string') data.set(key, Buffer.from(value, 'base64'));
    }
  }
  return readDecryptionKeys(data);
}

function expectInput(reference: InputReference, object: Kustomization, inputs: Inputs): JsonObject {
  const found = inputs.get(inputKey(reference));
  if (found !== undefined) return found;
  const name = `${reference.namespace ?? object.metadata.namespace}/${reference.name}`;
  throw new RenderError('BuildFailed', `cannot get decryption Secret '${name}': ${notFound(reference)}`, {});
}

function notFound({ kind, name }: InputReference): string {
  return `${kind === 'Secret' ? 'secrets' : 'configmaps'} "${name}" not found`;
}

function readVariables(object: Kustomization, inputs: Inputs): SubstitutionVariables | undefined {
  const { postBuild } = object.spec!;
  if (postBuild === undefined) return undefined;
  const sources = (postBuild.substituteFrom ?? []).map((reference) => {
    const found = inputs.get(inputKey(reference));
    if (found === undefined && reference.optional !== true) {
      throw unreadableSource(reference, new Error(notFound(reference)));
    }
    return { reference, object: found };
  });
  return collectVariables(sources, postBuild.substitute);
}

/** Values that must not leave in messages: those of Secrets that are applied, and of Secrets that were substituted. */
function secretValues(objects: readonly Manifest[], variables: SubstitutionVariables | undefined): readonly string[] {
  const values = new Set(variables?.secretValues ?? []);
  for (const object of objects) {
    if (object.kind !== 'Secret' || object.apiVersion !== 'v1') continue;
    for (const field of ['data', 'stringData']) {
      for (const value of Object.values((object[field] ?? {}) as JsonObject)) {
        if (typeof value !== 'string') continue;
        values.add(value);
        if (field === 'data') values.add(Buffer.from(value, 'base64').toString('utf8'));
      }
    }
  }
  return [...values];
}
