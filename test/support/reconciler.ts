// Owns a reconciler for a suite: lockstep's CRDs and rights on the cluster, a Git server, and `startReconciler` with the
// ServiceAccount's token, limited to the objects of this suite. What tests assert is the world: objects, status, events.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { customResourceDefinitions } from '../../src/api/crd.ts';
import { type Reconciler, type ReconcilerOptions, startReconciler } from '../../src/app.ts';
import { installNamespace, namespaceManifest, rightsManifests } from '../../src/cli/install-manifests.ts';
import type { ClusterAccess } from '../../src/cluster/access.ts';
import { readKubeconfig } from '../../src/cluster/kubeconfig.ts';
import type { SentRequest } from '../../src/cluster/rest.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLog } from '../../src/runtime/telemetry.ts';
import { type GitServer, startGitServer } from '../../src/sandbox/gitserver.ts';
import { type Api, openApi } from './api.ts';
import { expectNoCanary } from './canary.ts';
import type { ClusterUse } from './cluster.ts';
import { answerLagMs, startFaultyApi } from './fault-api.ts';
import { createWorkTree, type FileChanges, git, writeFiles } from './git.ts';
import { followRequests } from './in-flight.ts';

/** A live object as tests read it. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into objects of every kind.
export type Live = any;

const SUITE_LABEL = 'lockstep.dev/suite';

/** A Git repository of a test. */
export interface TestRepository {
  readonly url: string;
  readonly dir: string;
  /** Writes files (null deletes), commits and pushes to main; answers the commit. */
  commit(files: FileChanges, message?: string): Promise<string>;
  /** Runs git in the work tree. */
  git(...args: string[]): Promise<string>;
}

export interface ReconcilerUse {
  readonly git: GitServer;
  /** Every request that the reconciler sent since the suite began. */
  readonly requests: readonly SentRequest[];
  /** Makes a repository with a first commit. */
  repository(files: FileChanges): Promise<TestRepository>;
  /** Creates or replaces one of lockstep's objects, marked as this suite's, in the test's namespace. */
  apply(object: JsonObject): Promise<Live>;
  /** Reads an object; undefined when it is not there. */
  get(path: string): Promise<Live | undefined>;
  /** Waits until the object at a path satisfies the test, by looking again and again within a deadline. */
  waitFor(path: string, isReady: (object: Live | undefined) => boolean, what?: string): Promise<Live>;
  /** Requests about the test's namespace that are no watches, between now and the end of `during`. */
  countRequests(during: () => Promise<void>): Promise<SentRequest[]>;
  /**
   * Resolves when the reconciler has sent nothing for a moment and everything is answered: events of earlier passes are
   * written by then. It does not tell that what was done just now has been noticed: wait for that by itself.
   */
  quiet(momentMs?: number): Promise<void>;
  /** Resolves when the reconciler has noticed that an object of the test's namespace is suspended, or no longer is. */
  noticesSuspension(kind: string, name: string, isSuspended?: boolean): Promise<void>;
  /** The sum of a metric over the series whose text contains all of the labels (`name="value"`). */
  metric(name: string, ...labels: readonly string[]): Promise<number>;
  restart(): Promise<void>;
  /** Where the reconciler keeps its artifacts. */
  readonly stateDir: string;
  /** Address of artifacts, metrics and probes. */
  readonly internalUrl: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** What a suite may say of its reconciler. */
export interface SuiteOptions extends Partial<ReconcilerOptions> {
  /** Makes another access of the one to the cluster, e.g. by way of a proxy. Called at each start. */
  readonly route?: (access: ClusterAccess) => Promise<ClusterAccess>;
  /** Of `waitFor`, in ms. @default 20_000 */
  readonly deadlineMs?: number;
  /** Between two looks of `waitFor`, in ms. @default 40 */
  readonly lookMs?: number;
}

export const paths = {
  git: (namespace: string, name: string) =>
    `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/${name}`,
  source: (namespace: string, plural: string, name: string) =>
    `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/${plural}/${name}`,
  kustomization: (namespace: string, name: string) =>
    `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${name}`,
  helmRelease: (namespace: string, name: string) =>
    `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${namespace}/helmreleases/${name}`,
  deployment: (namespace: string, name: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
  configMap: (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`,
} as const;

/** Ends a wait for what does not come. Long: it costs only a test that fails, and a busy machine is slow. */
const DEADLINE_MS = Number(process.env['LOCKSTEP_DEADLINE_MS'] ?? 45_000);
const LOOK_MS = 40;
const QUIET_MS = 400;

/** Starts a reconciler for the suite around it. Read it inside tests only. */
export function useReconciler(cluster: ClusterUse, options: SuiteOptions = {}): ReconcilerUse {
  const suite = randomBytes(4).toString('hex');
  const requests: SentRequest[] = [];
  let folder = '';
  let server: GitServer | undefined;
  const version = `0.0.0-${suite}`;
  const inFlight = followRequests(`lockstep/${version}`);
  let reconciler: Reconciler | undefined;
  let repositories = 0;
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
    if (process.env['LOCKSTEP_TEST_LOG']) process.stderr.write(line);
  };

  const start = () =>
    launch(cluster.kubeconfig, cluster.admin, join(folder, 'state'), {
      version,
      watchLabelSelector: `${SUITE_LABEL}=${suite}`,
      onRequest: (request) => requests.push(request),
      log: createLog({ clock: systemClock, level: 'debug', write }),
      ...options,
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lockstep-suite-'));
    await install(cluster.admin);
    server = await startGitServer({ root: join(folder, 'git') });
    reconciler = await start();
  });
  afterAll(async () => {
    await reconciler?.stop();
    inFlight.stop();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = async (path: string): Promise<Live | undefined> => {
    const answer = await cluster.admin.call('GET', path);
    return answer.status === 200 ? answer.body : undefined;
  };
  const readMetrics = async (): Promise<string> => (await fetch(new URL('/metrics', reconciler!.internalUrl))).text();
  const metric = async (name: string, ...labels: readonly string[]): Promise<number> => {
    const series = (await readMetrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
    const meant = series.filter((line) => labels.every((label) => line.includes(label)));
    return meant.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  };
  // Whatever a suite deploys, the secret value of none of it is shown.
  afterEach(async () => {
    const { namespace } = cluster;
    const shown = [
      `/api/v1/namespaces/${namespace}/events`,
      paths.git(namespace, ''),
      paths.kustomization(namespace, ''),
    ];
    const [events, sources, kustomizations] = await Promise.all(
      shown.map(async (path) => JSON.stringify(await get(path))),
    );
    const metrics = reconciler && (await readMetrics());
    expectNoCanary({ log: lines.splice(0).join(''), events, sources, kustomizations, metrics });
  });
  return {
    get git() {
      return server!;
    },
    requests,
    get,
    repository: async (files) => {
      const name = `repository-${++repositories}`;
      const { url } = await server!.createRepository(name);
      const dir = join(folder, 'work', name);
      await createWorkTree(dir);
      await git(dir, 'remote', 'add', 'origin', url);
      const repository: TestRepository = {
        url,
        dir,
        git: (...args) => git(dir, ...args),
        commit: async (changes, message = 'Change') => {
          writeFiles(dir, changes);
          await git(dir, 'add', '-A');
          await git(dir, 'commit', '--quiet', '--allow-empty', '-m', message);
          await git(dir, 'push', '--quiet', 'origin', 'HEAD:main');
          return git(dir, 'rev-parse', 'HEAD');
        },
      };
      await repository.commit(files, 'First');
      return repository;
    },
    apply: async (object) => {
      const { metadata, ...rest } = object as { metadata: JsonObject } & JsonObject;
      const marked = {
        ...withMarkedChart(rest, suite),
        metadata: {
          namespace: cluster.namespace,
          ...metadata,
          labels: { [SUITE_LABEL]: suite, ...(metadata['labels'] as JsonObject | undefined) },
        },
      };
      const path = pathOf(marked as Live);
      const answer = await cluster.admin.call('PATCH', `${path}?fieldManager=test&force=true`, {
        body: marked,
        contentType: 'application/apply-patch+yaml',
      });
      if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    waitFor: async (path, isReady, what = 'the wanted state') => {
      const { deadlineMs = DEADLINE_MS, lookMs = LOOK_MS } = options;
      const end = performance.now() + deadlineMs;
      for (;;) {
        const object = await get(path);
        if (isReady(object)) return object;
        if (performance.now() > end) {
          throw new Error(`${path} did not reach ${what} in ${deadlineMs} ms: ${JSON.stringify(object)}`);
        }
        await systemClock.sleep(lookMs);
      }
    },
    countRequests: async (during) => {
      const before = requests.length;
      await during();
      // Objects of earlier tests may still be on their way out: they are in other namespaces.
      const mine = `/namespaces/${cluster.namespace}/`;
      return requests.slice(before).filter((request) => !request.watch && request.path.includes(mine));
    },
    quiet: async (momentMs = QUIET_MS) => {
      const { deadlineMs = DEADLINE_MS } = options;
      const end = performance.now() + deadlineMs;
      for (let before = -1; before !== requests.length || inFlight.paths().length > 0; ) {
        before = requests.length;
        await systemClock.sleep(momentMs);
        if (performance.now() < end) continue;
        const last = requests.slice(-5).map(({ method, path }) => `${method} ${path}`);
        throw new Error(`no quiet in ${deadlineMs} ms: under way ${inFlight.paths()}, sent at last ${last}`);
      }
    },
    noticesSuspension: async (kind, name, isSuspended = true) => {
      const labels = [`kind="${kind}"`, `name="${name}"`, `namespace="${cluster.namespace}"`];
      await until(
        `${kind} ${name} to be ${isSuspended ? 'suspended' : 'resumed'}`,
        async () => (await metric('gotk_suspend_status', ...labels)) === (isSuspended ? 1 : 0),
      );
    },
    metric,
    restart: async () => {
      await reconciler?.stop();
      reconciler = await start();
    },
    get stateDir() {
      return options.stateDir ?? join(folder, 'state');
    },
    get internalUrl() {
      return reconciler!.internalUrl;
    },
    stop: async () => {
      await reconciler?.stop();
      reconciler = undefined;
    },
    start: async () => {
      reconciler = await start();
    },
  };
}

/** The HelmChart that a HelmRelease makes is this suite's too. */
function withMarkedChart(object: Live, suite: string): Live {
  const chart = object.spec?.chart;
  if (object.kind !== 'HelmRelease' || chart === undefined) return object;
  const metadata = { ...chart.metadata, labels: { [SUITE_LABEL]: suite, ...chart.metadata?.labels } };
  return { ...object, spec: { ...object.spec, chart: { ...chart, metadata } } };
}

/** Installs lockstep on a cluster and starts a reconciler for all of its objects. */
export async function startReconcilerOn(kubeconfig: string, stateDir: string): Promise<Reconciler> {
  const admin = await openApi(kubeconfig);
  try {
    await install(admin);
    return await launch(kubeconfig, admin, stateDir, {});
  } finally {
    await admin.close();
  }
}

/** A reconciler with the rights of the installed ServiceAccount. */
async function launch(
  kubeconfig: string,
  admin: Api,
  stateDir: string,
  { route = shortest, deadlineMs: _deadline, lookMs: _look, ...options }: SuiteOptions,
): Promise<Reconciler> {
  const access = await readKubeconfig(kubeconfig, { clock: systemClock });
  const token = await serviceAccountToken(admin);
  return startReconciler({
    access: await route(
      token === undefined
        ? access
        : {
            server: access.server,
            tls: { ...withoutIdentity(access.tls) },
            authorization: () => `Bearer ${token}`,
          },
    ),
    stateDir,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    version: '0.0.0-test',
    internalPort: 0,
    httpPort: 0,
    ...options,
  });
}

/** The straight road, or that of a busy server. */
async function shortest(access: ClusterAccess): Promise<ClusterAccess> {
  return answerLagMs === 0 ? access : (await startFaultyApi(access)).access;
}

function withoutIdentity(tls: { readonly ca?: string }): { readonly ca?: string } {
  return tls.ca === undefined ? {} : { ca: tls.ca };
}

/** Applies the definitions, the namespace and the rights that `lockstep install` prints. */
export async function install(admin: Api): Promise<void> {
  const namespace = namespaceManifest();
  for (const object of [...customResourceDefinitions(), namespace, ...rightsManifests('cluster-admin')]) {
    const path = pathOf(object as Live);
    const answer = await admin.call('PATCH', `${path}?fieldManager=lockstep-install&force=true`, {
      body: object,
      contentType: 'application/apply-patch+yaml',
    });
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  }
  for (const object of customResourceDefinitions() as Live[]) await waitUntilServed(admin, object.spec);
}

/** A definition that says it is established is served a moment later, and in discovery another one. */
async function waitUntilServed(admin: Api, { group, names, versions }: Live): Promise<void> {
  for (const { name, served } of versions) {
    if (!served) continue;
    const path = `/apis/${group}/${name}`;
    const isServed = async () => (await admin.call('GET', `${path}/${names.plural}?limit=1`)).status === 200;
    await until(`${path}/${names.plural} to be served`, isServed);
    const isFound = async () =>
      ((await admin.call('GET', path)).body as Live).resources?.some((found: Live) => found.name === names.plural);
    await until(`${names.plural} in ${path}`, isFound);
  }
}

/** Waits for what is no object's state, e.g. a file or a count, within the same deadline as for objects. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${DEADLINE_MS} ms in vain for ${what}`);
    await systemClock.sleep(LOOK_MS);
  }
}

async function serviceAccountToken(admin: Api): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${installNamespace}/serviceaccounts/lockstep/token`;
  const answer = await admin.call('POST', path, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } },
  });
  if (answer.status === 501) return undefined;
  const token = (answer.body as Live)?.status?.token;
  if (typeof token !== 'string') throw new Error(`no token for the ServiceAccount: ${JSON.stringify(answer.body)}`);
  return token;
}

/** Waits for what is told at once, within the same deadline: what does not come names itself. */
export async function untilTold<T>(what: string, told: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = systemClock.setTimer(DEADLINE_MS, () =>
    late.reject(new Error(`waited ${DEADLINE_MS} ms in vain for ${what}`)),
  );
  try {
    return await Promise.race([told, late.promise]);
  } finally {
    cancel();
  }
}

const PLURALS: Readonly<Record<string, string>> = {
  GitRepository: 'gitrepositories',
  HelmRepository: 'helmrepositories',
  HelmChart: 'helmcharts',
  OCIRepository: 'ocirepositories',
  Bucket: 'buckets',
  HelmRelease: 'helmreleases',
  Kustomization: 'kustomizations',
  ExternalArtifact: 'externalartifacts',
  CustomResourceDefinition: 'customresourcedefinitions',
  Namespace: 'namespaces',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  Role: 'roles',
  RoleBinding: 'rolebindings',
  Secret: 'secrets',
  Service: 'services',
  ConfigMap: 'configmaps',
  Deployment: 'deployments',
};
const CLUSTER_SCOPED = new Set(['CustomResourceDefinition', 'Namespace', 'ClusterRole', 'ClusterRoleBinding']);

/** The API path of an object that tests make. */
export function pathOf(object: Live): string {
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const plural = PLURALS[object.kind];
  if (plural === undefined) throw new Error(`add the plural of ${object.kind} to test/support/reconciler.ts`);
  const place = CLUSTER_SCOPED.has(object.kind) ? '' : `/namespaces/${object.metadata.namespace}`;
  return `${root}${place}/${plural}/${object.metadata.name}`;
}

/** A condition of an object; undefined when it has none of that type. */
export function condition(object: Live | undefined, type: string): Live | undefined {
  return object?.status?.conditions?.find((item: Live) => item.type === type);
}

export function conditionStatus(object: Live | undefined, type: string): string | undefined {
  return condition(object, type)?.status;
}

/** True when Ready says so for the newest generation. */
export function isReady(object: Live | undefined): boolean {
  return conditionStatus(object, 'Ready') === 'True' && object.status.observedGeneration === object.metadata.generation;
}

/**
 * True when the object has failed with a reason, and a message that contains some words. Where a pass may begin before
 * its source was seen, the words tell the failure that is meant from that one.
 */
export function hasFailed(reason: string, words = ''): (object: Live | undefined) => boolean {
  return (object) => {
    const ready = condition(object, 'Ready');
    return ready?.status === 'False' && ready.reason === reason && ready.message.includes(words);
  };
}

/** True when a pod of a list has an image that cannot be pulled, and says so. */
export function hasStuckPod(list: Live | undefined): boolean {
  const reasons = list?.items.map(({ status }: Live) => status.containerStatuses?.[0]?.state.waiting?.reason);
  return reasons?.some((reason: string) => reason === 'ErrImagePull' || reason === 'ImagePullBackOff') ?? false;
}
