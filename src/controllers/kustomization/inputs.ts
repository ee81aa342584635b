// Owns the fingerprint of what goes into a build beside source and spec: a change of it builds and applies again.
import { createHash } from 'node:crypto';
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import { driftAnnotation } from '../../api/meta/keys.ts';

/** What went into a build beside source and spec. */
export function fingerprintInputs(object: Kustomization): string {
  const inputs = { drift: object.metadata.annotations?.[driftAnnotation] ?? '' };
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
}
