// Owns finding the cosign signatures of an artifact in its registry and trying keys on them. What makes a signature good
// is cosign.ts.
import type { KeyObject } from 'node:crypto';
import { verifyBundle, verifySimple } from './cosign.ts';
import { RegistryError } from './errors.ts';
import { parseManifest } from './manifest.ts';
import type { Registry } from './registry.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const MAX_SIGNATURE_BYTES = 1024 * 1024;
const MAX_SIGNATURES = 100;

/** Whether one of the keys signed the artifact with that digest. Throws RegistryError and RemoteError. */
export async function isSignedBy(
  registry: Registry,
  digest: string,
  keys: readonly KeyObject[],
  signal: AbortSignal,
): Promise<boolean> {
  return (await hasBundle(registry, digest, keys, signal)) || (await hasSimple(registry, digest, keys, signal));
}

async function hasBundle(
  registry: Registry,
  digest: string,
  keys: readonly KeyObject[],
  signal: AbortSignal,
): Promise<boolean> {
  const referrers = await registry.referrers(digest, signal);
  const candidates = referrers.filter(
    ({ artifactType }) => artifactType === undefined || artifactType.startsWith(BUNDLE),
  );
  for (const candidate of candidates.slice(0, MAX_SIGNATURES)) {
    const { layers } = parseManifest((await registry.manifest(candidate.digest, signal)).bytes);
    const layer = layers.find(({ mediaType }) => mediaType.startsWith(BUNDLE));
    if (layer === undefined) continue;
    const bundle = await registry.smallBlob(layer, MAX_SIGNATURE_BYTES, signal);
    if (keys.some((key) => verifyBundle(bundle, digest, key))) return true;
  }
  return false;
}

async function hasSimple(
  registry: Registry,
  digest: string,
  keys: readonly KeyObject[],
  signal: AbortSignal,
): Promise<boolean> {
  const found = await registry.manifest(`${digest.replace(':', '-')}.sig`, signal).catch((error: unknown) => {
    if (error instanceof RegistryError && error.code === 'RegistryNotFound') return undefined;
    throw error;
  });
  if (found === undefined) return false;
  const layers = parseManifest(found.bytes).layers.filter(({ mediaType }) => mediaType === SIMPLE_SIGNING);
  for (const layer of layers.slice(0, MAX_SIGNATURES)) {
    const signature = layer.annotations[SIGNATURE];
    if (signature === undefined) continue;
    const payload = await registry.smallBlob(layer, MAX_SIGNATURE_BYTES, signal);
    if (keys.some((key) => verifySimple(payload, signature, digest, key))) return true;
  }
  return false;
}
