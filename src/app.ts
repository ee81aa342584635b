// The composition root: makes the clients, stores and controllers of one reconciler and says in which order they start
// and stop. The only file that sees every door at once.
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from './api/meta/object.ts';
import type { GitRepository } from './api/source/gitrepository.ts';
import { followArtifactSources } from './app/artifact-sources.ts';
import { followKind } from './app/follow-kind.ts';
import { createKustomizations } from './app/kustomizations.ts';
import { waitForLeadership } from './app/leadership.ts';
import { createReleases } from './app/releases.ts';
import { createReplicaPlace, joinReplicas } from './app/replicas.ts';
import { startServers } from './app/servers.ts';
import { serviceAccountTokens } from './app/service-account-tokens.ts';
import type { ReconcilerSettings } from './app/settings.ts';
import { createSources } from './app/sources.ts';
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
import { clientSource } from './controllers/kustomization/client-source.ts';
import { sourceApiVersion } from './controllers/kustomization/index.ts';
import { WatchedInputs, wakingInputs } from './controllers/kustomization/inputs.ts';
import { defaultFeatureGates } from './controllers/shared/feature-gates.ts';
import { HostGate } from './controllers/shared/host-gate.ts';
import { defaultSourceLimits } from './controllers/shared/source-ports.ts';
import type { Clock } from './lib/clock.ts';
import { errorMessage } from './lib/errors.ts';
import type { Log } from './lib/log.ts';
import { createWorkerPool } from './offload/pool.ts';
import { createRenderer } from './offload/renderer.ts';
import { createGitHubLogin } from './remote/git/github-app.ts';
import { createServerMemory } from './remote/git/memory.ts';
import { openTransport } from './remote/git/open.ts';
import { createSshConnections } from './remote/git/ssh-connection.ts';
import { createHttpDoor } from './remote/http.ts';
import { createEventReceiver } from './remote/notify/event-receiver.ts';
import { keyOf, type Reconcilable } from './runtime/controller.ts';
import { createControllerMetrics } from './runtime/controller-metrics.ts';
import { MetricRegistry } from './runtime/metrics.ts';
import { countAnswers, countRenders } from './runtime/process-metrics.ts';
import { registerResourceMetrics } from './runtime/resource-metrics.ts';
import { createShard } from './runtime/shard.ts';
import { type Machine, type RunningController, startController } from './runtime/start.ts';
import { TokenCache } from './runtime/token-cache.ts';
import { artifactRoute } from './server/artifacts.ts';
import { metricsRoute, probeRoutes } from './server/probes.ts';
import { profileRoutes } from './server/profiles.ts';

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
  /** Aborts when leadership, or the place among replicas, is lost: the process must end. */
  readonly lost: AbortSignal;
  stop(): Promise<void>;
}

/** Starts the reconciler against an API server. Resolves once its server answers; controllers may still wait. */
export async function startReconciler(options: ReconcilerOptions): Promise<Reconciler> {
  const { clock, log, random, access } = options;
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const registry = new MetricRegistry();
  const place = createReplicaPlace(options, clock);
  const connection = { clock, random, userAgent: `lockstep/${options.version}`, guard: place?.fence };
  const rest = new RestClient(access, {
    ...connection,
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
    share: place?.share,
    backoff: {
      ...(options.minRetryDelayMs === undefined ? {} : { minMs: options.minRetryDelayMs }),
      ...(options.maxRetryDelayMs === undefined ? {} : { maxMs: options.maxRetryDelayMs }),
    },
  };
  const workers = createWorkerPool();
  const renderer = createRenderer({ onRender: countRenders(registry) });
  const artifacts = await openArtifactStore(options.storagePath ?? join(options.stateDir, 'artifacts'), {
    algorithm: options.artifactDigestAlgorithm,
  });
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
    kustomizations.wake(source);
  };

  const stopping = new AbortController();
  let running: readonly RunningController<Reconcilable>[] = [];
  let waitingFor: string | undefined = 'starting';
  const problems = (): string[] => {
    if (waitingFor !== undefined) return [waitingFor];
    return running.flatMap((controller) => {
      const problem = controller.problem();
      return problem === undefined ? [] : [`${controller.name}: ${problem}${installHint(problem)}`];
    });
  };
  const servers = await startServers(options, {
    probes: probeRoutes(problems),
    metrics: metricsRoute(() => registry.render()),
    profiles: profileRoutes({ clock, isOn: options.profiling ?? false }),
    artifacts: artifactRoute((path) => artifacts.localPath(path)),
  });
  const address = options.advertisedAddress ?? new URL(servers.internal.url).host;

  const artifactUrl = (path: string): string => `http://${address}/${path}`;
  const gates = options.gates ?? defaultFeatureGates;
  const gitRepositories = followKind<GitRepository>(gitRepositoryController.kind, machine, stopping.signal);
  const artifactSources = await followArtifactSources({
    machine,
    signal: stopping.signal,
    gates,
    stateDir: options.stateDir,
    http: guardedHttp,
    address,
    isShard: shard.labelSelector !== undefined || place !== undefined,
    own: artifacts,
    openOwn: (artifact) => storage.open(artifact),
    holdOwn: (tree) => storage.hold(tree),
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
    hosts: new HostGate({ clock, perHost: options.concurrent ?? gitRepositoryController.concurrent ?? 4 }),
    artifactUrl,
    servesHere: ({ url, path }) => place === undefined || url === artifactUrl(path),
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
    artifactUrl,
    gitRepositories,
    artifactSources,
    servesHere: gitPorts.servesHere,
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
      const other = new RestClient(remote, connection);
      others.add(other);
      return new DynamicClient(other, new Discovery(other, { clock }));
    },
  });
  const others = new Set<RestClient>();
  const wakes = gates.DisableConfigWatchers ? () => false : wakingInputs(options.watchConfigsLabelSelector);
  const releases = createReleases({
    machine,
    informers,
    client,
    artifacts: artifactSources,
    renderer,
    settings,
    createInputs: (wake) => new WatchedInputs({ informers, client, enqueue: wake, wakes }),
    clientFor,
    concurrent: options.concurrent,
    stopping: stopping.signal,
  });
  const kustomizations = createKustomizations({
    machine,
    client,
    options,
    settings,
    artifactSources,
    renderer,
    fetching: {
      http: guardedHttp,
      workers,
      folder: join(options.stateDir, 'remote-bases'),
      openTransport: (url, timeoutMs) => openTransport(url, {}, { http, memory, ssh, timeoutMs }),
    },
    clientFor,
    tokens,
    wakes,
    stopping: stopping.signal,
  });

  const lost = new AbortController();
  let leave = async (): Promise<void> => {};
  const lead = startLeading();
  async function startLeading(): Promise<(() => Promise<void>) | undefined> {
    const onState = (state: string | undefined): void => {
      waitingFor = state;
    };
    const onLost = (reason: unknown): void => lost.abort(reason);
    const give = await waitForLeadership(
      { client, clock, random, log, registry, shard, options, onState, onLost },
      stopping.signal,
    );
    if (stopping.signal.aborted) return give;
    if (place !== undefined) {
      waitingFor = 'joining the replicas';
      const joining = { client, informers, clock, log, registry, options, onLost };
      leave = await joinReplicas(place, joining, stopping.signal);
    }
    waitingFor = undefined;
    // Nobody waits for it: until they are watched, new kinds are noticed when they are first asked for.
    const { definitionsChanged: onChange } = kustomizations;
    followCustomResources(informers, discovery, { clock, log, signal: stopping.signal, onChange }).catch(
      (error: unknown) => {
        if (!stopping.signal.aborted) log.error('CustomResourceDefinitions are not watched', { error });
      },
    );
    const { concurrent } = options;
    const git = concurrent === undefined ? gitRepositoryController : { ...gitRepositoryController, concurrent };
    running = [startController(git, gitPorts, machine), ...sources.start(), kustomizations.start(), releases.start()];
    registerResourceMetrics(registry, [
      ...running.map((controller) => ({ kind: controller.kind, list: () => ownObjects(controller) })),
      {
        kind: { apiVersion: sourceApiVersion, kind: 'ExternalArtifact' },
        list: () => artifactSources.list('ExternalArtifact'),
      },
    ]);
    return give;
  }
  const ownObjects = ({ kind, objects }: RunningController<Reconcilable>): Reconcilable[] =>
    objects.list().filter((object) => place === undefined || place.share.owns(kind.kind, keyOf(object)));
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
      await Promise.all(running.map((controller) => controller.stop()));
      await Promise.all([events.stop(), receiver?.stop()]);
      await leave();
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
