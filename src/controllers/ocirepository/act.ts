// Owns the doing: check the signature, pull the layer, store it. What to do was decided in decide.ts.
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type OCIRepository, ociRepositoryReasons as reasons } from '../../api/source/ocirepository.ts';
import { errorMessage } from '../../lib/errors.ts';
import { type Descriptor, type Manifest, parseManifest } from '../../remote/oci/manifest.ts';
import { formatReference } from '../../remote/oci/reference.ts';
import { saveBlob } from '../../remote/oci/save-blob.ts';
import type { Pass } from '../../runtime/controller.ts';
import { ReconcileError } from '../../runtime/reconcile-error.ts';
import { waitRemotely } from '../shared/host-gate.ts';
import { checkSignature } from '../shared/registry-login.ts';
import { collectArtifacts, failureError, storeArtifact } from '../shared/source-artifact.ts';
import { sourceTimeoutMs } from '../shared/timing.ts';
import { registryFailure } from './failure.ts';
import { MAX_LAYER_BYTES, type OciRepositoryPorts } from './ports.ts';
import type { Decision, Outcome } from './types.ts';

const KIND = 'ocirepository';
const MAX_ANNOTATION_BYTES = 64 * 1024;

type Fetch = Extract<Decision, { do: 'fetch' }>;

export async function act(decision: Decision, ports: OciRepositoryPorts, pass: Pass<OCIRepository>): Promise<Outcome> {
  switch (decision.do) {
    case 'fail':
      throw failureError(decision.failure);
    case 'nothing':
      await collectArtifacts(KIND, pass.key, pass.current().status?.artifact, ports);
      return { type: 'nothing', verified: undefined };
    case 'fetch':
      return fetchRemotely(decision, ports, pass);
    default:
      return decision satisfies never;
  }
}

function fetchRemotely(decision: Fetch, ports: OciRepositoryPorts, pass: Pass<OCIRepository>): Promise<Outcome> {
  const { spec } = pass.current();
  const wait = { url: spec.url, timeoutMs: sourceTimeoutMs(spec), continues: true };
  return waitRemotely(wait, ports, pass, (signal) => fetch(decision, ports, pass, signal));
}

async function fetch(
  decision: Fetch,
  ports: OciRepositoryPorts,
  pass: Pass<OCIRepository>,
  signal: AbortSignal,
): Promise<Outcome> {
  const object = pass.current();
  const { registry, digest, revision, repository } = decision.resolved;
  const { verify } = object.spec;
  if (decision.verify && verify !== undefined) {
    const reference = formatReference(repository, digest);
    await checkSignature(object, { verify, registry, digest, reference }, { ports, signal });
  }
  const verified = decision.verify ? revision : undefined;
  if (!decision.pull) return { type: 'nothing', verified };
  const manifest = await readManifest(object, decision, signal);
  const layer = selectLayer(object, manifest);
  const folder = await ports.downloads.create();
  try {
    const path = join(folder.path, 'layer');
    await pull(object, decision, { layer, path, signal });
    const { artifact, isNew } = await storeArtifact(
      {
        kind: KIND,
        key: pass.key,
        file: `${digest.replace('sha256:', '')}.tar.gz`,
        revision,
        metadata: manifest.annotations,
        old: object.status?.artifact,
      },
      (output) => pack(object, { layer: path, output, descriptor: layer }, ports, signal),
      ports,
    );
    ports.onStored(`OCIRepository/${pass.key}`);
    return { type: 'stored', artifact, isNew, verified };
  } catch (error) {
    pass.signal.throwIfAborted();
    throw error;
  } finally {
    await folder.dispose();
  }
}

async function readManifest(object: OCIRepository, { resolved }: Fetch, signal: AbortSignal): Promise<Manifest> {
  let manifest: Manifest;
  try {
    manifest = parseManifest((await resolved.registry.manifest(resolved.digest, signal)).bytes);
  } catch (error) {
    throw registryFailure(object, error, reasons.pullFailed, `failed to pull artifact from '${object.spec.url}': `);
  }
  // They go into the status, which others have to read and store.
  const bytes = JSON.stringify(manifest.annotations).length;
  if (bytes <= MAX_ANNOTATION_BYTES) return manifest;
  throw layerFailure(`annotations of ${bytes} bytes exceed the limit of ${MAX_ANNOTATION_BYTES} bytes`);
}

function selectLayer({ spec }: OCIRepository, { layers }: Manifest): Descriptor {
  const { mediaType } = spec.layerSelector ?? {};
  const layer = mediaType ? layers.find((each) => each.mediaType === mediaType) : layers[0];
  if (layer === undefined) {
    const why = layers.length === 0 ? 'no layers found' : `failed to find layer with media type '${mediaType}'`;
    throw layerFailure(`${why} in artifact`);
  }
  if (layer.size > MAX_LAYER_BYTES) {
    throw layerFailure(`layer of ${layer.size} bytes exceeds the limit of ${MAX_LAYER_BYTES} bytes`);
  }
  return layer;
}

async function pull(
  object: OCIRepository,
  { resolved }: Fetch,
  { layer, path, signal }: { readonly layer: Descriptor; readonly path: string; readonly signal: AbortSignal },
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await saveBlob(resolved.registry, layer, file, signal);
  } catch (error) {
    throw registryFailure(object, error, reasons.pullFailed, `failed to pull artifact from '${object.spec.url}': `);
  } finally {
    await file.close();
  }
}

interface Packing {
  /** The downloaded layer. */
  readonly layer: string;
  readonly output: string;
  readonly descriptor: Descriptor;
}

/** The layer as it is, or its files packed anew. */
async function pack(
  { spec }: OCIRepository,
  { layer, output, descriptor }: Packing,
  ports: OciRepositoryPorts,
  signal: AbortSignal,
) {
  if (spec.layerSelector?.operation === 'copy') {
    await rename(layer, output);
    return { digest: descriptor.digest, size: descriptor.size };
  }
  try {
    return await ports.workers.run('packLayer', { layer, path: output, ignore: spec.ignore }, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw layerFailure(`failed to extract layer contents from artifact: ${errorMessage(error)}`, error);
  }
}

function layerFailure(message: string, cause?: unknown): ReconcileError {
  return new ReconcileError(reasons.layerOperationFailed, message, { condition: 'FetchFailed', cause });
}
