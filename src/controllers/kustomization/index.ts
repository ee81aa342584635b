// The Kustomization controller as a value: what it watches, and its steps.
import { type Kustomization, kustomizationKind, type SourceKind } from '../../api/kustomize/kustomization.ts';
import type { ArtifactSource } from '../../api/meta/artifact.ts';
import { finalizer } from '../../api/meta/keys.ts';
import { type Change, type Controller, keyOf, type Watch } from '../../runtime/controller.ts';
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

/**
 * A new revision, or one that appeared or vanished, concerns every Kustomization of the source (flux.md §4.2). Whether
 * one has tried it already is not asked: a pass that is under way may be about to say that it tried another one since.
 */
const onSource = (kind: SourceKind): Watch<Kustomization> => ({
  kind: { apiVersion: sourceApiVersion, kind },
  trigger: 'source revision',
  interrupts: true,
  keys: (change, lookup) => {
    const source = change.object as ArtifactSource;
    const old = change.old as ArtifactSource | undefined;
    if (change.type === 'update' && identityOf(source) === identityOf(old)) return [];
    return lookup.byIndex(BY_SOURCE, `${kind}/${keyOf(source)}`).map(keyOf);
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
    const dependents = lookup.byIndex(BY_DEPENDENCY, keyOf(change.object));
    if (dependents.length === 0) return [];
    if (change.type === 'update' && readiness(change.object) === readiness(change.old)) return [];
    return dependents.map(keyOf);
  },
};

/** Another place is news too: another replica has made the artifact anew, and somebody may not have got it. */
function identityOf(source: ArtifactSource | undefined): string {
  const { revision = '', url = '' } = source?.status?.artifact ?? {};
  return `${revision} ${url}`;
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
    const memory = memoryOf(ports, key);
    memory.applied = undefined;
    // Nobody was told of the failure: it is not the retry interval that its next try waits for.
    memory.hold = undefined;
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
