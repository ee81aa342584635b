// Owns the CRDs that a chart carries in crds/: created, replaced or skipped before anything else (helm.md §21.1).
import type { CrdsPolicy } from '../../../api/helm/helmrelease.ts';
import { asKubeObject, asManifest } from '../../../apply/dry-run.ts';
import type { CrdFile } from '../../../engines/helm/chart.ts';
import { errorMessage } from '../../../lib/errors.ts';
import { type Manifest, withMetadata } from '../../../objects/manifest.ts';
import { fieldManager } from '../ports.ts';
import { type Steps, toTarget, type WaitTarget, waitFor } from '../wait.ts';
import type { ActionContext } from './context.ts';
import { failed, findLive, parseObjects } from './objects.ts';

const KIND = 'CustomResourceDefinition';
/** Helm's own bound on the wait for definitions, in ms. */
const TIMEOUT_MS = 60_000;

/** Applies the CRDs; answers whether any was created or changed, so that the chart can be rendered with them there. */
export async function* applyCrds(
  context: ActionContext,
  files: readonly CrdFile[],
  policy: CrdsPolicy,
): Steps<boolean> {
  const definitions = crdsOf(files);
  if (policy === 'Skip' || definitions.length === 0) return false;
  const sent: WaitTarget[] = [];
  for (const definition of definitions) {
    const object = withMetadata(definition, { labels: context.originLabels });
    try {
      const live = await findLive(object, context.client);
      if (live !== undefined && policy === 'Create') continue;
      const stored = asManifest(await context.client.apply(asKubeObject(object), { fieldManager, force: true }));
      if (live?.metadata['resourceVersion'] !== stored.metadata['resourceVersion']) sent.push(toTarget(stored));
    } catch (error) {
      const text = `failed to apply CustomResourceDefinitions: ${definition.metadata.name}: ${errorMessage(error)}`;
      throw failed(text, definition, error);
    }
  }
  if (sent.length === 0) return false;
  const startedMs = context.clock.now();
  yield* waitFor({ goal: 'ready', targets: sent, startedMs, deadlineMs: startedMs + TIMEOUT_MS });
  context.client.discovery.invalidate();
  return true;
}

/** The definitions in files of crds/; other objects there are left out, as Flux does. */
export function crdsOf(files: readonly CrdFile[]): Manifest[] {
  return files.flatMap((file) => parseObjects(file.text)).filter((object) => object.kind === KIND);
}
