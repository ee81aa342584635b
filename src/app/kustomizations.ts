// Owns the composition of the Kustomization controller: its ports, and what the Kustomizations know of one another.
import type { Kustomization } from '../api/kustomize/kustomization.ts';
import { ownerNameLabel } from '../api/meta/keys.ts';
import { asManifest } from '../apply/dry-run.ts';
import type { DynamicClient } from '../cluster/client.ts';
import type { Informers } from '../cluster/informers.ts';
import { AppliedObjects } from '../controllers/kustomization/applied-objects.ts';
import { Conflicts } from '../controllers/kustomization/conflicts.ts';
import { explainHealth } from '../controllers/kustomization/explain.ts';
import { tellBy } from '../controllers/kustomization/gates.ts';
import { kustomizationController, kustomizationWatches } from '../controllers/kustomization/index.ts';
import { WatchedInputs } from '../controllers/kustomization/inputs.ts';
import { Moves, sourceKeyOf, sourceKeysOf } from '../controllers/kustomization/moves.ts';
import { fieldManager, type KustomizationPorts, liftHolds } from '../controllers/kustomization/ports.ts';
import { createFetchMissing } from '../controllers/shared/fetch-missing.ts';
import { timeoutMs } from '../controllers/shared/timing.ts';
import { errorCode } from '../lib/errors.ts';
import type { Renderer } from '../offload/renderer.ts';
import { withOverrideManagers } from '../plan/take-over.ts';
import { keyOf, type Reconcilable, splitKey } from '../runtime/controller.ts';
import { type Machine, type RunningController, startController } from '../runtime/start.ts';
import type { TokenCache } from '../runtime/token-cache.ts';
import type { ArtifactSources } from './artifact-sources.ts';
import { followKind } from './follow-kind.ts';
import type { ReconcilerSettings } from './settings.ts';

/** What the controller is made with. */
export interface KustomizationWorld {
  readonly machine: Machine & { readonly informers: Informers };
  readonly client: DynamicClient;
  readonly options: ReconcilerSettings;
  readonly settings: Pick<KustomizationPorts['settings'], 'noCrossNamespaceRefs' | 'requeueDependencyMs' | 'gates'>;
  readonly artifactSources: ArtifactSources;
  readonly renderer: Renderer;
  /** How remote bases are fetched. */
  readonly fetching: Omit<Parameters<typeof createFetchMissing>[0], 'refuse'>;
  readonly clientFor: KustomizationPorts['clientFor'];
  readonly tokens: TokenCache;
  /** Whether a change of a ConfigMap or Secret that a spec names is to be seen at once. */
  readonly wakes: (labels: Readonly<Record<string, string>>) => boolean;
  readonly stopping: AbortSignal;
}

/** The controller, not yet running. */
export interface Kustomizations {
  start(): RunningController<Reconcilable>;
  /** Runs those of a source again that have applied nothing yet, by the source's key with its kind. */
  wake(source: string): void;
  /** Tells that definitions of custom resources have changed. */
  definitionsChanged(isNew: boolean): void;
}

/** Makes the ports and follows the kind. */
export function createKustomizations(world: KustomizationWorld): Kustomizations {
  const { machine, client, options, settings, stopping, wakes } = world;
  const { clock, informers } = machine;
  let running: RunningController<Kustomization> | undefined;
  const enqueue = (key: string, trigger: string): void => running?.enqueue(key, { trigger });
  const conflicts = new Conflicts(enqueue);
  const moves = new Moves({ clock, enqueue });
  // The same informer that wakes them, whatever the shard: what woke a pass is what the pass reads.
  const followed = followKind<Kustomization>(kustomizationController.kind, machine, stopping, {
    indexes: { source: sourceKeysOf },
    onChange: (object, exists) => {
      moves.seen(object);
      conflicts.seen(object, exists);
    },
  });
  const inputs = new WatchedInputs({ informers, client, enqueue, ageSecret: options.sopsAgeSecret, wakes });
  const takenManagers = withOverrideManagers(options.overrideManagers ?? [], options.overrideManagersBeforeDryRun);
  const ports: KustomizationPorts = {
    clock,
    settings: {
      ...settings,
      defaultServiceAccount: options.defaultServiceAccount ?? '',
      customStageKinds: options.customApplyStageKinds ?? [],
      concurrentDryRuns: options.concurrentSsa ?? 4,
      takenManagers,
    },
    objects: new AppliedObjects({
      informers,
      manager: fieldManager,
      takenManagers,
      labelSelector: ownerNameLabel,
      clock,
      log: machine.log,
      enqueue,
    }),
    conflicts,
    moves,
    siblings: (object) => {
      const source = sourceKeyOf(object);
      const all = source === undefined ? [] : followed.byIndex('source', source);
      return all.filter((other) => keyOf(other) !== keyOf(object));
    },
    memory: new Map(),
    findSource: world.artifactSources.get,
    findKustomization: (namespace, name) => followed.get(namespace, name),
    openArtifact: world.artifactSources.open,
    inputs,
    clientFor: world.clientFor,
    forgotten: (key) => world.tokens.forget({ kind: kustomizationController.kind.kind, ...splitKey(key) }),
    ...renderPort(world),
    ...clusterPorts(world, inputs),
  };
  return {
    start: () => {
      const { concurrent } = options;
      const controller = {
        ...kustomizationController,
        ...(concurrent === undefined ? {} : { concurrent }),
        watches: kustomizationWatches(world.artifactSources.kinds),
        conclude: tellBy(settings.gates, kustomizationController.conclude),
      };
      running = startController(controller, ports, machine);
      return running;
    },
    wake: (source) => {
      // Who has applied something waits for no artifact: a new revision wakes it when the source says so.
      const waiting = (key: string) => ports.memory.get(key)?.applied === undefined;
      const keys = (running?.objects.byIndex('source', source) ?? []).map(keyOf);
      for (const key of keys.filter(waiting)) enqueue(key, 'artifact stored');
    },
    definitionsChanged: (isNew) => {
      for (const key of liftHolds(ports.memory, isNew)) enqueue(key, 'custom resources');
    },
  };
}

function renderPort({
  artifactSources,
  fetching,
  options,
  renderer,
  settings: { gates },
}: KustomizationWorld): Pick<KustomizationPorts, 'render'> {
  const settings = { strict: gates.StrictPostBuildSubstitutions, ageSecret: options.sopsAgeSecret };
  return {
    render: (tree, object, inputs, signal) => {
      const held = artifactSources.hold(tree);
      // One for each render: what it has fetched is that render's.
      const fetchMissing = createFetchMissing({ ...fetching, refuse: options.noRemoteBases ?? false });
      return renderer
        .renderKustomization(
          { key: keyOf(object), source: held?.source, tree, object, inputs, settings },
          { signal, timeoutMs: timeoutMs(object.spec!), fetchMissing },
        )
        .finally(() => held?.release());
    },
  };
}

/** What is asked of clusters: of ours, and of those that objects are applied to. */
function clusterPorts(
  { client, clientFor, options }: KustomizationWorld,
  inputs: WatchedInputs,
): Pick<KustomizationPorts, 'canImpersonate' | 'readLive' | 'explainHealth'> {
  /** Health is read with the rights that the objects are applied with. */
  const targetClient = async (object: Kustomization): Promise<DynamicClient> =>
    clientFor(object, await inputs.read(keyOf(object), object));
  return {
    canImpersonate: async ({ spec, metadata: { namespace = '' } }) => {
      // A ServiceAccount that is named for another cluster is that cluster's.
      if (spec?.kubeConfig !== undefined) return true;
      const name = spec?.serviceAccountName || (options.defaultServiceAccount ?? '');
      if (name === '') return true;
      try {
        const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
        return (await client.findMetadata(account)) !== undefined;
      } catch (error) {
        // Whoever may impersonate it need not be allowed to see it: then it is taken to be there.
        if (errorCode(error) === 'ApiForbidden') return true;
        throw error;
      }
    },
    readLive: async ({ reference: { namespace, ...rest } }, object) => {
      const target = await targetClient(object);
      const found = await target.find(namespace === '' ? rest : { ...rest, namespace });
      return found === undefined ? undefined : asManifest(found);
    },
    explainHealth: async (targets, object, signal) => explainHealth(await targetClient(object), targets, signal),
  };
}
