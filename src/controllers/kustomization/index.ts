// The Kustomization controller as a value: what it watches, and its steps.
import {
  type Kustomization,
  kustomizationKind,
  kustomizationReasons as reasons,
  type SourceKind,
} from '../../api/kustomize/kustomization.ts';
import type { ArtifactSource } from '../../api/meta/artifact.ts';
import { conditionTypes } from '../../api/meta/condition.ts';
import { finalizer } from '../../api/meta/keys.ts';
import { getCondition } from '../../runtime/conditions.ts';
import { type Change, type Controller, type Key, keyOf, type Lookup, type Watch } from '../../runtime/controller.ts';
import { sameRevision } from '../shared/revision.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { finalize } from './finalize.ts';
import { sourceKeysOf } from './moves.ts';
import { observe } from './observe.ts';
import { fieldManager, type KustomizationPorts, memoryOf } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

/** API version of all kinds of sources. */
export const sourceApiVersion = 'source.toolkit.fluxcd.io/v1';

const BY_SOURCE = 'source';
const BY_DEPENDENCY = 'dependency';

/** A new revision, or one that appeared or vanished, concerns every Kustomization of the source (flux.md §4.2). */
const onSource = (kind: SourceKind): Watch<Kustomization> => ({
  kind: { apiVersion: sourceApiVersion, kind },
  trigger: 'source revision',
  interrupts: true,
  keys: (change, lookup) => {
    const source = change.object as ArtifactSource;
    const old = change.old as ArtifactSource | undefined;
    if (change.type === 'update' && revisionOf(source) === revisionOf(old)) {
      if (source.status?.artifact?.url === old?.status?.artifact?.url) return [];
      // Made anew by another replica: whoever could not fetch it waits for it.
      return keysOf(lookup, BY_SOURCE, `${kind}/${keyOf(source)}`, isWaitingForArtifact);
    }
    return keysOf(lookup, BY_SOURCE, `${kind}/${keyOf(source)}`, (object) => !isCurrent(object, source, change));
  },
});

/**
 * A dependency that changed its mind about Ready, or has another revision, concerns those that depend on it. Whether they
 * wait already is not asked: the status that says so may still be on its way.
 */
const onDependency: Watch<Kustomization> = {
  kind: { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  trigger: 'dependency',
  keys: (change, lookup) => {
    if (change.type === 'update' && readiness(change.object) === readiness(change.old)) return [];
    return keysOf(lookup, BY_DEPENDENCY, keyOf(change.object), () => true);
  },
};

function keysOf(
  lookup: Lookup<Kustomization>,
  index: string,
  value: string,
  wanted: (object: Kustomization) => boolean,
): Key[] {
  return lookup.byIndex(index, value).filter(wanted).map(keyOf);
}

function revisionOf(source: ArtifactSource | undefined): string | undefined {
  return source?.status?.artifact?.revision;
}

/** At start-up every object runs anyway; later ones that tried this revision already are left alone. */
function isCurrent(object: Kustomization, source: ArtifactSource, change: Change): boolean {
  return change.type === 'update' && sameRevision(object.status?.lastAttemptedRevision, revisionOf(source));
}

function isWaitingForArtifact({ status }: Kustomization): boolean {
  return getCondition(status?.conditions, conditionTypes.ready)?.reason === reasons.artifactFailed;
}

/** What a dependency is judged by: an expression may look at any of it. */
function readiness(object: Change['object'] | undefined): string {
  const { metadata, status } = (object ?? {}) as Partial<Kustomization>;
  return JSON.stringify([metadata?.generation, metadata?.labels, metadata?.annotations, status]);
}

function dependencyKeys(object: Kustomization): readonly string[] {
  return (object.spec?.dependsOn ?? []).map(
    (dependency) => `${dependency.namespace ?? object.metadata.namespace ?? ''}/${dependency.name}`,
  );
}

/** What wakes Kustomizations, where these kinds of sources are in use. */
export function kustomizationWatches(sources: readonly SourceKind[]): readonly Watch<Kustomization>[] {
  return [...sources.map(onSource), onDependency];
}

export const kustomizationController: Controller<Kustomization, Observed, Decision, Outcome, KustomizationPorts> = {
  name: 'kustomization',
  kind: { apiVersion: `${kustomizationKind.group}/v1`, kind: 'Kustomization' },
  fieldManager: `gotk-${fieldManager}`,
  eventSource: fieldManager,
  finalizer,
  concurrent: 4,
  indexes: { [BY_SOURCE]: sourceKeysOf, [BY_DEPENDENCY]: dependencyKeys },
  watches: kustomizationWatches(['GitRepository']),
  observe,
  decide,
  act,
  conclude,
  finalize,
  mask: (key, ports) => memoryOf(ports, key).mask,
  forgetPass: (key, ports) => {
    memoryOf(ports, key).applied = undefined;
  },
  forget: (key, ports) => {
    ports.memory.delete(key);
    ports.objects.forget(key);
    ports.inputs.forget(key);
    ports.conflicts.set(key, []);
    ports.moves.set(key, undefined);
    ports.forgotten(key);
  },
};
