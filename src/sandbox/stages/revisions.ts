// Owns ControllerRevisions: the history of pod templates that StatefulSets and DaemonSets keep for rollbacks.
import { equalJson, type KubeObject } from '../object.ts';
import type { StageContext } from './loop.ts';
import { controllerReference, isControlledBy } from './ownership.ts';
import { hashTemplate } from './pod-template.ts';
import { type PodTemplate, RESOURCES } from './types.ts';

export interface ControllerRevision extends KubeObject {
  revision: number;
  data: { spec: { template: PodTemplate & { $patch: 'replace' } } };
}

/** The revisions that an owner has, the oldest first. */
export function listRevisions({ store }: StageContext, owner: KubeObject): ControllerRevision[] {
  const namespace = owner.metadata.namespace ?? '';
  const all = store.list(RESOURCES.controllerRevisions, { namespace }) as readonly ControllerRevision[];
  return all.filter((revision) => isControlledBy(revision, owner)).sort((a, b) => a.revision - b.revision);
}

/** The template that a revision holds. */
export function templateOf({ data }: ControllerRevision): PodTemplate {
  const { $patch: _, ...template } = data.spec.template;
  return template;
}

/**
 * The revision of the owner's template as it is now: the newest one if that has it, an older one moved to the front if
 * the owner was rolled back, else a new one.
 */
export function ensureRevision(
  context: StageContext,
  owner: KubeObject,
  template: PodTemplate,
  known: readonly ControllerRevision[],
  hashLabel: string,
): ControllerRevision {
  const newest = known.at(-1);
  const same = known.filter((revision) => equalJson(templateOf(revision), template)).at(-1);
  if (same !== undefined && same === newest) return same;
  const number = (newest?.revision ?? 0) + 1;
  if (same !== undefined) {
    return context.store.update(RESOURCES.controllerRevisions, { ...same, revision: number }) as ControllerRevision;
  }
  const hash = hashTemplate(template, takenName(known, owner, template) ? number : undefined);
  return context.store.create(RESOURCES.controllerRevisions, {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.metadata.name}-${hash}`,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(owner.metadata.annotations === undefined ? {} : { annotations: owner.metadata.annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    data: { spec: { template: { $patch: 'replace', ...template } } },
    revision: number,
  }) as ControllerRevision;
}

function takenName(known: readonly ControllerRevision[], owner: KubeObject, template: PodTemplate): boolean {
  const name = `${owner.metadata.name}-${hashTemplate(template)}`;
  return known.some(({ metadata }) => metadata.name === name);
}

/** Removes the oldest revisions beyond the limit. Those named in `used` stay and do not count. */
export function trimRevisions(
  { store }: StageContext,
  known: readonly ControllerRevision[],
  used: ReadonlySet<string>,
  limit: number,
): void {
  const unused = known.filter(({ metadata }) => !used.has(metadata.name));
  for (const { metadata } of unused.slice(0, Math.max(0, unused.length - limit))) {
    store.delete(RESOURCES.controllerRevisions, metadata.namespace ?? '', metadata.name);
  }
}
