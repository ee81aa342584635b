// The composition root: makes the clients, stores and controllers of one reconciler and says in which order they start
// and stop. The only file that sees every door at once.
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Kustomization } from './api/kustomize/kustomization.ts';
import { ownerNameLabel } from './api/meta/keys.ts';
import type { KubeObject } from './api/meta/object.ts';
import type { GitRepository } from './api/source/gitrepository.ts';
import { followArtifactSources } from './app/artifact-sources.ts';
import { followKind } from './app/follow-kind.ts';
import { createReleases } from './app/releases.ts';
import { startServers } from './app/servers.ts';
import { serviceAccountTokens } from './app/service-account-tokens.ts';
import type { ReconcilerSettings } from './app/settings.ts';
import { createSources } from './app/sources.ts';
import { asManifest } from './apply/dry-run.ts';
import { openDownloads } from './artifact/downloads.ts';
import { openArtifactStore } from './artifact/store.ts';
import type { ClusterAccess } from './cluster/access.ts';
import { DynamicClient } from './cluster/client.ts';
import { followCustomResources } from './cluster/crd-watch.ts';
import { Discovery } from './cluster/discovery.ts';
import { EventRecorder } from './cluster/events.ts';
import { Informers } from './cluster/informers.ts';
import { RestClient, type SentRequest } from './cluster/rest.ts';
import { createGitStorage } from './controllers/gitrepository/git-storage.ts';
import { gitRepositoryController } from './controllers/gitrepository/index.ts';
import type { GitRepositoryPorts } from './controllers/gitrepository/ports.ts';
import { AppliedObjects } from './controllers/kustomization/applied-objects.ts';
import { clientSource } from './controllers/kustomization/client-source.ts';
import { Conflicts } from './controllers/kustomization/conflicts.ts';
import { explainHealth } from './controllers/kustomization/explain.ts';
import { tellBy } from './controllers/kustomization/gates.ts';
import { kustomizationController, kustomizationWatches, sourceApiVersion } from './controllers/kustomization/index.ts';
import { WatchedInputs, wakingInputs } from './controllers/kustomization/inputs.ts';
import { Moves, sourceKeyOf, sourceKeysOf } from './controllers/kustomization/moves.ts';
import { fieldManager, type KustomizationPorts, liftHolds } from './controllers/kustomization/ports.ts';
import { defaultFeatureGates } from './controllers/shared/feature-gates.ts';
import { createFetchMissing } from './controllers/shared/fetch-missing.ts';
import { defaultSourceLimits } from './controllers/shared/source-ports.ts';
import { timeoutMs } from './controllers/shared/timing.ts';
import type { Clock } from './lib/clock.ts';
import { errorCode, errorMessage } from './lib/errors.ts';
import type { Log } from './lib/log.ts';
import { createWorkerPool } from './offload/pool.ts';
import { createRenderer } from './offload/renderer.ts';
import { withOverrideManagers } from './plan/take-over.ts';
import { createGitHubLogin } from './remote/git/github-app.ts';
import { createServerMemory } from './remote/git/memory.ts';
import { openTransport } from './remote/git/open.ts';
import { createSshConnections } from './remote/git/ssh-connection.ts';
import { createHttpDoor } from './remote/http.ts';
import { createEventReceiver } from './remote/notify/event-receiver.ts';
import { keyOf, type Reconcilable, splitKey } from './runtime/controller.ts';
import { createControllerMetrics } from './runtime/controller-metrics.ts';
import { becomeLeader } from './runtime/leader.ts';
import { MetricRegistry } from './runtime/metrics.ts';
import { countAnswers, countRenders, showLeadership } from './runtime/process-metrics.ts';
import { registerResourceMetrics } from './runtime/resource-metrics.ts';
import { createShard } from './runtime/shard.ts';
import { type Machine, type RunningController, startController } from './runtime/start.ts';
import { TokenCache } from './runtime/token-cache.ts';
import { artifactRoute } from './server/artifacts.ts';
import { metricsRoute, probeRoutes } from './server/probes.ts';

export interface ReconcilerOptions extends ReconcilerSettings {
  readonly access: ClusterAccess;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly version: string;
  /** Port of artifacts, metrics and probes; 0 takes a free one. */
  readonly internalPort: number;
  /** Port of the web page and its probes; 0 takes a free one. */
  readonly httpPort: number;
  /** @default '127.0.0.1' */
  readonly listen?: string | undefined;
  /** Host and port that artifact URLs name. @default the listening address */
  readonly advertisedAddress?: string | undefined;
  readonly onRequest?: ((request: SentRequest) => void) | undefined;
  /** Sees every event as it is said. */
  readonly onEvent?: ((object: KubeObject, event: SaidEvent) => void) | undefined;
}

export interface SaidEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface Reconciler {
  readonly internalUrl: string;
  readonly httpUrl: string;
  /** What keeps it from being ready; empty when nothing does. */
  problems(): readonly string[];
  /** Aborts when leadership is lost: the process must end. */
  readonly lost: AbortSignal;
  stop(): Promise<void>;
}

/** Starts the reconciler against an API server. Resolves once its server answers; controllers may still wait. */
export async function startReconciler(options: ReconcilerOptions): Promise<Reconciler> {
  const { clock, log, random, access } = options;
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const registry = new MetricRegistry();
  const rest = new RestClient(access, {
    clock,
    random,
    userAgent: `lockstep/${options.version}`,
    onRequest: options.onRequest,
    onAnswer: countAnswers(registry),
  });
  const discovery = new Discovery(rest, { clock });
  const client = new DynamicClient(rest, discovery);
  const informers = new Informers({ rest, discovery, clock, random, log });
  const events = new EventRecorder({ client, clock, log });
  if (options.onEvent !== undefined) events.listen(options.onEvent);
  const door = { userAgent: `lockstep/${options.version}`, environmentProxy: options.environmentProxy ?? {} };
  const http = createHttpDoor(door);
  // What users of the cluster name in objects and files must not reach the machine's own metadata service.
  const guardedHttp = createHttpDoor({ ...door, blockLinkLocal: true });
  const receiver =
    options.eventsUrl === undefined
      ? undefined
      : createEventReceiver({ http, clock, log, url: options.eventsUrl, instance: hostname() });
  if (receiver !== undefined) events.listen((object, event) => receiver.post(object, event));
  const shard = createShard(options.watchLabelSelector);
  const machine: Machine = {
    client,
    informers,
    events,
    clock,
    random,
    log,
    jitterPercent: options.intervalJitterPercent,
    metrics: createControllerMetrics(registry),
    labelSelector: shard.labelSelector,
    namespace: options.watchNamespace,
    backoff: {
      ...(options.minRetryDelayMs === undefined ? {} : { minMs: options.minRetryDelayMs }),
      ...(options.maxRetryDelayMs === undefined ? {} : { maxMs: options.maxRetryDelayMs }),
    },
  };
  const workers = createWorkerPool();
  const renderer = createRenderer({ onRender: countRenders(registry) });
  const artifacts = await openArtifactStore(options.storagePath ?? join(options.stateDir, 'artifacts'));
  const storage = createGitStorage({
    objectsFolder: join(options.stateDir, 'objects'),
    artifacts,
    workers,
    clock,
    ...(options.artifactRetention === undefined ? {} : { retention: options.artifactRetention }),
    // The revision may be one that status has already, as after a start without state: no watch tells of that.
    onStored: (key) => {
      onStored(`GitRepository/${key}`);
      sources.wake(`GitRepository/${key}`);
    },
  });
  const onStored = (source: string): void => {
    releases.wake(source);
    for (const object of running.kustomization?.objects.byIndex('source', source) ?? []) {
      running.kustomization?.enqueue(keyOf(object), { trigger: 'artifact stored' });
    }
  };

  const stopping = new AbortController();
  const running: {
    all: readonly RunningController<Reconcilable>[];
    kustomization?: RunningController<Kustomization>;
  } = { all: [] };
  let waitingFor: string | undefined = 'starting';
  const problems = (): string[] => {
    if (waitingFor !== undefined) return [waitingFor];
    return running.all.flatMap((controller) => {
      const problem = controller.problem();
      return problem === undefined ? [] : [`${controller.name}: ${problem}${installHint(problem)}`];
    });
  };
  const servers = await startServers(options, {
    probes: probeRoutes(problems),
    metrics: metricsRoute(() => registry.render()),
    artifacts: artifactRoute((path) => artifacts.localPath(path)),
  });
  const address = options.advertisedAddress ?? new URL(servers.internal.url).host;

  // The same informers that wake the Kustomizations, whatever the shard: what woke a pass is what the pass reads.
  const gates = options.gates ?? defaultFeatureGates;
  const gitRepositories = followKind<GitRepository>(gitRepositoryController.kind, machine, stopping.signal);
  const artifactSources = await followArtifactSources({
    machine,
    signal: stopping.signal,
    gates,
    stateDir: options.stateDir,
    http: guardedHttp,
    address,
    isShard: shard.labelSelector !== undefined,
    openOwn: (artifact) => storage.open(artifact),
    holdOwn: (tree) => storage.hold(tree),
  });
  const enqueue = (key: string, trigger: string): void => running.kustomization?.enqueue(key, { trigger });
  const conflicts = new Conflicts(enqueue);
  const moves = new Moves({ clock, enqueue });
  const kustomizations = followKind<Kustomization>(kustomizationController.kind, machine, stopping.signal, {
    indexes: { source: sourceKeysOf },
    onChange: (object, exists) => {
      moves.seen(object);
      conflicts.seen(object, exists);
    },
  });
  const memory = createServerMemory();
  const ssh = createSshConnections({
    kexAlgorithms: options.sshKexAlgorithms,
    hostKeyAlgorithms: options.sshHostKeyAlgorithms,
  });
  const settings = {
    noCrossNamespaceRefs: options.noCrossNamespaceRefs ?? false,
    requeueDependencyMs: options.requeueDependencyMs ?? 30_000,
    gates,
  };
  const gitPorts: GitRepositoryPorts = {
    clock,
    settings: { legacyRevisions: options.legacyRevisions ?? false, requeueDependencyMs: settings.requeueDependencyMs },
    storage,
    logins: new Map(),
    masks: new Map(),
    readSecret: async (namespace, name, signal) => {
      const found = await client.find({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { signal });
      const data = (found as { data?: Record<string, string> } | undefined)?.data ?? {};
      if (found === undefined) return undefined;
      const decode = (value: string) => Buffer.from(value, 'base64').toString('utf8');
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value)]));
    },
    githubLogin: (app, auth) => createGitHubLogin(app, { http, now: () => clock.now(), ...auth }),
    findRepository: (namespace, name) => gitRepositories.get(namespace, name),
    openTransport: (url, auth, timeoutMs) =>
      openTransport(url, auth, { http, memory, ssh, timeoutMs, agent: `lockstep/${options.version}` }),
    artifactUrl: (path) => `http://${address}/${path}`,
  };
  const sources = createSources({
    machine,
    client,
    http: guardedHttp,
    artifacts,
    retention: options.artifactRetention,
    limits: { ...defaultSourceLimits, ...options.sourceLimits },
    downloads: await openDownloads(join(options.stateDir, 'downloads')),
    workers,
    requeueDependencyMs: settings.requeueDependencyMs,
    readSecret: gitPorts.readSecret,
    artifactUrl: gitPorts.artifactUrl,
    gitRepositories,
    openArtifact: (artifact) => storage.open(artifact),
    onStored,
    concurrent: options.concurrent,
    stopping: stopping.signal,
  });
  const defaultServiceAccount = options.defaultServiceAccount ?? '';
  const tokens = new TokenCache({
    clock,
    registry,
    maxSize: options.tokenCacheSize,
    maxDurationMs: options.tokenCacheMaxDurationMs,
  });
  const clientFor = clientSource({
    client,
    clock,
    defaultServiceAccount,
    allowInsecureTls: options.insecureKubeconfigTls ?? false,
    configMaps: {
      isEnabled: gates.ObjectLevelWorkloadIdentity,
      defaultServiceAccount: options.defaultKubeconfigServiceAccount ?? '',
      tokenOf: serviceAccountTokens(client, tokens),
    },
    connect: (remote) => {
      const other = new RestClient(remote, { clock, random, userAgent: `lockstep/${options.version}` });
      others.add(other);
      return new DynamicClient(other, new Discovery(other, { clock }));
    },
  });
  const others = new Set<RestClient>();
  const { sopsAgeSecret: ageSecret } = options;
  const wakes = gates.DisableConfigWatchers ? () => false : wakingInputs(options.watchConfigsLabelSelector);
  const inputs = new WatchedInputs({
    informers,
    client,
    enqueue,
    ageSecret,
    wakes,
  });
  const releases = createReleases({
    machine,
    informers,
    client,
    artifacts,
    renderer,
    settings,
    createInputs: (wake) => new WatchedInputs({ informers, client, enqueue: wake, wakes }),
    clientFor,
    concurrent: options.concurrent,
    stopping: stopping.signal,
  });
  /** Health is read with the rights that the objects are applied with. */
  const targetClient = async (object: Kustomization): Promise<DynamicClient> =>
    clientFor(object, await inputs.read(`${object.metadata.namespace}/${object.metadata.name}`, object));
  const fetching = {
    http: guardedHttp,
    workers,
    folder: join(options.stateDir, 'remote-bases'),
    openTransport: (url: string, timeoutMs: number) => openTransport(url, {}, { http, memory, ssh, timeoutMs }),
  };
  const takenManagers = withOverrideManagers(options.overrideManagers ?? []);
  const kustomizationPorts: KustomizationPorts = {
    clock,
    settings: {
      ...settings,
      defaultServiceAccount,
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
      log,
      enqueue,
    }),
    conflicts,
    moves,
    siblings: (object) => {
      const source = sourceKeyOf(object);
      const others = source === undefined ? [] : kustomizations.byIndex('source', source);
      return others.filter((other) => keyOf(other) !== keyOf(object));
    },
    memory: new Map(),
    findSource: artifactSources.get,
    findKustomization: (namespace, name) => kustomizations.get(namespace, name),
    openArtifact: artifactSources.open,
    inputs,
    render: (tree, object, read, signal) => {
      const held = artifactSources.hold(tree);
      const fetchMissing = createFetchMissing({ ...fetching, refuse: options.noRemoteBases ?? false });
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      const settings = { strict: gates.StrictPostBuildSubstitutions, ageSecret };
      return renderer
        .renderKustomization(
          { key, source: held?.source, tree, object, inputs: read, settings },
          { signal, timeoutMs: timeoutMs(object.spec!), fetchMissing },
        )
        .finally(() => held?.release());
    },
    clientFor,
    forgotten: (key) => tokens.forget({ kind: kustomizationController.kind.kind, ...splitKey(key) }),
    canImpersonate: async ({ spec, metadata: { namespace = '' } }) => {
      const name = spec?.serviceAccountName || (spec?.kubeConfig === undefined ? defaultServiceAccount : '');
      // A ServiceAccount that is named for another cluster is that cluster's.
      if (name === '' || spec?.kubeConfig !== undefined) return true;
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

  const lost = new AbortController();
  const lead = startLeading();
  async function startLeading(): Promise<(() => Promise<void>) | undefined> {
    const leadership = await waitForLeadership();
    if (stopping.signal.aborted) return leadership?.release;
    waitingFor = undefined;
    // Without the right to watch them, new kinds are noticed when they are first asked for.
    const onChange = (isNew: boolean) => {
      for (const key of liftHolds(kustomizationPorts.memory, isNew)) enqueue(key, 'custom resources');
    };
    followCustomResources(informers, discovery, onChange).catch((error: unknown) => {
      log.info('CustomResourceDefinitions are not watched', { error: errorMessage(error) });
    });
    const git = startController(withWorkers(gitRepositoryController), gitPorts, machine);
    const consumer = {
      ...kustomizationController,
      watches: kustomizationWatches(artifactSources.kinds),
      conclude: tellBy(gates, kustomizationController.conclude),
    };
    running.kustomization = startController(withWorkers(consumer), kustomizationPorts, machine);
    running.all = [git, ...sources.start(), running.kustomization, releases.start()];
    registerResourceMetrics(registry, [
      ...running.all.map((controller) => ({ kind: controller.kind, list: () => controller.objects.list() })),
      {
        kind: { apiVersion: sourceApiVersion, kind: 'ExternalArtifact' },
        list: () => artifactSources.list('ExternalArtifact'),
      },
    ]);
    return leadership?.release;
  }
  async function waitForLeadership(): Promise<{ release: () => Promise<void> } | undefined> {
    const namespace = options.leaderElectionNamespace;
    if (namespace === undefined) return undefined;
    const leases = ['source-controller', 'kustomize-controller', 'helm-controller'].map((name) =>
      shard.leaseName(name),
    );
    const identity = `${hostname()}_${process.pid}`;
    const onState = (state: string | undefined): void => {
      waitingFor = state;
    };
    const timing = {
      durationMs: options.leaseDurationMs,
      renewDeadlineMs: options.leaseRenewDeadlineMs,
      retryMs: options.leaseRetryMs,
      givesBack: options.leaseGivesBack,
    };
    const held = await becomeLeader(
      { client, clock, random, log, namespace, identity, leases, onState, ...timing },
      stopping.signal,
    );
    const show = showLeadership(registry);
    for (const lease of leases) show(lease, true);
    held.lost.addEventListener('abort', () => {
      for (const lease of leases) show(lease, false);
      lost.abort(held.lost.reason);
    });
    return held;
  }
  function withWorkers<C extends { readonly concurrent?: number }>(controller: C): C {
    return options.concurrent === undefined ? controller : { ...controller, concurrent: options.concurrent };
  }
  lead.catch((error: unknown) => {
    if (!stopping.signal.aborted) waitingFor = `leader election failed: ${errorMessage(error)}`;
  });

  return {
    internalUrl: servers.internal.url,
    httpUrl: servers.page.url,
    problems,
    lost: lost.signal,
    stop: async () => {
      stopping.abort(new Error('stopping'));
      const release = await lead.catch(() => undefined);
      await Promise.all(running.all.map((controller) => controller.stop()));
      await Promise.all([events.stop(), receiver?.stop()]);
      await release?.();
      await informers.stop();
      await storage.close();
      await workers.close();
      await Promise.all([http.close(), guardedHttp.close()]);
      await renderer.close();
      await ssh.close();
      await Promise.all([rest, ...others].map((connection) => connection.close()));
      await servers.close();
    },
  };
}

/** What to do when the cluster does not know our kinds. */
function installHint(problem: string): string {
  return problem.startsWith('no matches for kind') ? '; apply the output of `lockstep install --crds` first' : '';
}
