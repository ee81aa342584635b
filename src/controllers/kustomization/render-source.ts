// Owns the build of a Kustomization as the controller runs it: recording what is read, fetching what the build misses,
// decrypting, substituting. The steps themselves are in render/.
import { createHash } from 'node:crypto';
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { Fetched } from '../../engines/kustomize/missing.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { type JsonObject, stringifyJson } from '../../lib/json.ts';
import { recordReads } from '../../lib/recording-tree.ts';
import type { Manifest } from '../../objects/manifest.ts';
import { decryptObjects, decryptSources } from '../../render/decrypt.ts';
import { buildObjects, labelObjects } from '../../render/kustomization.ts';
import { RenderError } from '../../render/render-error.ts';
import { type DecryptionKeys, readDecryptionKeys } from '../../render/sops/data-key.ts';
import {
  collectVariables,
  type SubstitutionVariables,
  substituteObjects,
  unreadableSource,
} from '../../render/substitute.ts';
import type { FetchMissing } from '../shared/fetch-missing.ts';
import { type AgeSecret, decryptionSecret, type InputReference, type Inputs, inputKey } from './inputs.ts';
import type { RenderedSource } from './ports.ts';

/** As many rounds of fetching as a chain of remote bases may need. */
const MAX_ROUNDS = 10;

/** What is the same for all builds of this process. */
export interface RenderSettings {
  /** Refuse variables that are not set (gate StrictPostBuildSubstitutions). */
  readonly strict: boolean;
  readonly ageSecret: AgeSecret;
}

/** Builds and records. Throws the errors of the render room. */
export async function renderSource(
  tree: FileTree,
  object: Kustomization,
  inputs: Inputs,
  settings: RenderSettings,
  fetchMissing: FetchMissing,
  signal: AbortSignal,
): Promise<RenderedSource> {
  const recording = recordReads(tree);
  const keys = await readKeys(object, inputs, settings.ageSecret);
  const source = keys === undefined ? recording.tree : await decryptSources(recording.tree, object.spec!, keys);
  const built = await buildWithFetches(source, object, fetchMissing, signal);
  const decrypted = keys === undefined ? built.objects : await decryptObjects(built.objects, keys);
  const variables = readVariables(object, inputs);
  const { postBuild } = object.spec!;
  const substituted =
    variables === undefined
      ? decrypted
      : substituteObjects(decrypted, {
          variables,
          strict: settings.strict,
          always: postBuild?.substituteStrategy === 'Always',
        });
  const objects = labelObjects(substituted, object);
  const isPlain = substituted === built.objects;
  return {
    objects,
    digest: `sha256:${createHash('sha256')
      .update(isPlain ? built.yaml : stringifyJson(substituted))
      .digest('hex')}`,
    secrets: secretValues(objects, variables),
    record: recording.record,
  };
}

async function buildWithFetches(
  tree: FileTree,
  object: Kustomization,
  fetchMissing: FetchMissing,
  signal: AbortSignal,
): Promise<{ readonly objects: JsonObject[]; readonly yaml: string }> {
  let fetched: Fetched | undefined;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const built = buildObjects(tree, object, fetched);
    if (built.state === 'built') return built;
    fetched = await fetchMissing(built.missing, signal);
  }
  throw new RenderError('BuildFailed', `kustomize build failed: remote bases go deeper than ${MAX_ROUNDS} levels`, {});
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
