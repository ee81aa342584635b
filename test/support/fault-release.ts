// Owns the world of the fault suites of HelmReleases: a chart whose two versions create, change, keep and drop objects,
// the points at which a process dies amid its actions, and what must hold when all is over.
import { expect } from 'vitest';
import type { ReleaseRecord } from '../../src/engines/helm/release/record.ts';
import { fromReleaseSecret } from '../../src/engines/helm/release/secret.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { gitRepository } from './build.ts';
import type { ClusterChoice } from './cluster.ts';
import type { ApiRequest } from './fault-api.ts';
import type { DeathPoint, PassingFault } from './fault-points.ts';
import { passingFaults } from './fault-points.ts';
import { type FaultWorld, useFaultWorld } from './fault-world.ts';
import type { FileChanges } from './git.ts';
import { helmRelease } from './helm-charts.ts';
import { isReady, type Live, paths, type TestRepository } from './reconciler.ts';

/** More requests in one case, watches and retries included, are a hot loop. */
const MOST_REQUESTS = 700;
const QUIET_MS = 150;

/** ConfigMaps of each version of the chart, and their values. */
const contents = {
  first: { changed: 'first', kept: 'both', 'dropped-1': 'first', 'dropped-2': 'first' },
  second: { changed: 'second', kept: 'both', 'made-1': 'second', 'made-2': 'second' },
} as const;
type Content = keyof typeof contents;

const HOOK = `apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade,pre-rollback,pre-delete
data: {revision: hook}
`;
const REFUSED = `apiVersion: v1
kind: Service
metadata: {name: zz}
spec:
  ports: [{port: 99999}]
`;

/** Another version: a chart of the same one is not read again. */
const refusedFiles = {
  'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.5.0\n',
  'templates/refused.yaml': REFUSED,
};

function chart(content: Content, more: FileChanges = {}): FileChanges {
  const other = content === 'first' ? 'second' : 'first';
  const files: Record<string, string | null> = {
    'Chart.yaml': `apiVersion: v2\nname: app\nversion: ${content === 'first' ? '1.0.0' : '2.0.0'}\n`,
    'templates/hook.yaml': HOOK,
    'templates/refused.yaml': '',
  };
  for (const name of Object.keys(contents[other])) files[`templates/${name}.yaml`] = null;
  for (const [name, revision] of Object.entries(contents[content])) {
    files[`templates/${name}.yaml`] =
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  revision: ${revision}\n`;
  }
  const entries = Object.entries({ ...files, ...more });
  return Object.fromEntries(entries.map(([name, text]) => [`chart/${name}`, text]));
}

const isSecret = ({ url }: ApiRequest): boolean => url.includes('sh.helm.release.v1.app.');
const isCreateSecret = ({ method, url, body }: ApiRequest): boolean =>
  method === 'POST' && /\/secrets(\?|$)/.test(url) && body.includes('helm.sh/release.v1');
const isUpdateSecret = (request: ApiRequest): boolean => request.method === 'PUT' && isSecret(request);
const isDeleteSecret = (request: ApiRequest): boolean => request.method === 'DELETE' && isSecret(request);
const isConfigMap = ({ url }: ApiRequest): boolean => /\/configmaps\//.test(url);
const isCreate = ({ method, url }: ApiRequest): boolean => method === 'POST' && /\/configmaps(\?|$)/.test(url);
const isHook = (request: ApiRequest): boolean => isCreate(request) && request.body.includes('helm.sh/hook');
/** An apply, or what the client does in its place. */
const isApply = (request: ApiRequest): boolean =>
  (request.method === 'PATCH' && request.write && isConfigMap(request)) || (isCreate(request) && !isHook(request));
const isDelete = (request: ApiRequest): boolean =>
  request.method === 'DELETE' && isConfigMap(request) && !request.url.includes('/hook');
const isStatus = ({ method, url }: ApiRequest): boolean =>
  method === 'PATCH' && url.includes('/helmreleases/app/status');

/** Deaths amid an install or an upgrade, in the order of the action; each has as many such requests as it counts. */
export const actionDeathPoints: readonly DeathPoint[] = [
  { name: 'before the pending revision is stored', at: isCreateSecret, when: 'before' },
  { name: 'after the pending revision is stored', at: isCreateSecret, when: 'after' },
  { name: 'before a hook', at: isHook, when: 'before' },
  { name: 'after a hook', at: isHook, when: 'after' },
  { name: 'before an apply', at: isApply, when: 'before', of: 3 },
  { name: 'after an apply', at: isApply, when: 'after', of: 3 },
  { name: 'before a revision is stored again', at: isUpdateSecret, when: 'before', of: 2 },
  { name: 'after a revision is stored again', at: isUpdateSecret, when: 'after', of: 2 },
  { name: 'before a status', at: isStatus, when: 'before' },
  { name: 'after a status', at: isStatus, when: 'after' },
  { name: 'at any request', at: ({ watch }) => !watch, when: 'before', of: 15 },
];

/** Deaths amid an upgrade that prunes. */
export const pruneDeathPoints: readonly DeathPoint[] = [
  { name: 'before a deletion', at: isDelete, when: 'before', of: 2 },
  { name: 'after a deletion', at: isDelete, when: 'after', of: 2 },
  // The deployed revision is superseded before the new one is deployed.
  { name: 'between superseded and deployed', at: isUpdateSecret, when: 'after', of: 3 },
];

/** Deaths while some objects are as the new revision has them, and some are not. */
export const amidObjects: readonly DeathPoint[] = [...actionDeathPoints.slice(4, 8), ...pruneDeathPoints];

/** Deaths amid a rollback: what is stored first belongs to the upgrade that fails. */
export const rollbackDeathPoints: readonly DeathPoint[] = [
  { name: 'around the revision that rolls back', at: isCreateSecret, when: 'after', of: 2 },
  { name: 'amid the deletions', at: isDelete, when: 'before', of: 2 },
  { name: 'when a revision is stored again', at: isUpdateSecret, when: 'before', of: 6 },
];

/** Deaths amid an uninstall. */
export const uninstallDeathPoints: readonly DeathPoint[] = [
  { name: 'before it is stored', at: isUpdateSecret, when: 'before' },
  { name: 'after it is stored', at: isUpdateSecret, when: 'after' },
  { name: 'before a deletion', at: isDelete, when: 'before', of: 4 },
  { name: 'after a deletion', at: isDelete, when: 'after', of: 4 },
  { name: 'before the history goes', at: isDeleteSecret, when: 'before', of: 2 },
  { name: 'after some of the history went', at: isDeleteSecret, when: 'after', of: 2 },
  {
    name: 'before the finalizer goes',
    at: ({ method, url }) => method === 'PATCH' && /\/helmreleases\/app(\?|$)/.test(url),
    when: 'before',
  },
];

const names = ['429 with Retry-After', '500', '503', 'a request that hangs', 'answers to writes lost'];

/** Misbehaviours of the API server that pass. */
export const passingReleaseFaults: readonly PassingFault[] = [
  { name: '409 on applies', on: isApply, fault: conflict, hits: 3 },
  { name: '409 on stored revisions', on: isUpdateSecret, fault: conflict, hits: 2 },
  { name: '409 on deletions', on: isDelete, fault: conflict, hits: 2 },
  ...passingFaults.filter((fault) => names.includes(fault.name) || fault.name === 'everything at random'),
];

function conflict() {
  return { kind: 'status', status: 409, reason: 'Conflict' } as const;
}

export interface ReleaseFaultWorld extends FaultWorld {
  /** Makes the chart's first version available. */
  prepare(): Promise<TestRepository>;
  /** Makes the HelmRelease; it is not waited for. */
  release(spec?: JsonObject): Promise<void>;
  /** Waits until the release is at rest. */
  settled(): Promise<void>;
  /** Commits a version of the chart; `refused` adds an object that the API server takes not. */
  commit(repository: TestRepository, content: Content, refused?: boolean): Promise<void>;
  /** Waits until the content is released, and looks at everything. */
  expectReleased(content: Content): Promise<void>;
  /** Waits until the HelmRelease is gone, and looks at what it left behind. */
  expectUninstalled(): Promise<void>;
}

/** Sets the world up for the suite around it. Read it inside tests only. */
export function useReleaseFaultWorld(choice: ClusterChoice): ReleaseFaultWorld {
  const world = useFaultWorld(choice);
  const { cluster, suite } = world;
  const at = () => paths.helmRelease(cluster.namespace, 'app');
  let requestsBefore = 0;
  let commits = 0;

  const items = async (kind: string): Promise<Live[]> => {
    const { body } = await cluster.admin.call('GET', `/api/v1/namespaces/${cluster.namespace}/${kind}`);
    return (body as Live).items;
  };
  const revisions = async (): Promise<Live[]> =>
    (await items('secrets')).filter((item) => item.type === 'helm.sh/release.v1');
  const newestFirst = async (): Promise<ReleaseRecord[]> => {
    const stored = (await revisions()).map((secret) => fromReleaseSecret(secret as JsonObject));
    return stored.sort((a, b) => b.version - a.version);
  };
  const configMaps = async (): Promise<Record<string, string>> => {
    const found = (await items('configmaps')).filter(
      ({ metadata }) => metadata.name !== 'kube-root-ca.crt' && metadata.name !== 'hook',
    );
    return Object.fromEntries(found.map((item) => [item.metadata.name, item.data.revision]));
  };
  const expectSane = async (): Promise<void> => {
    await suite.quiet(QUIET_MS);
    expect(suite.requests.length - requestsBefore, 'requests of the case').toBeLessThan(MOST_REQUESTS);
  };

  return Object.assign(Object.create(world, {}) as FaultWorld, {
    prepare: async () => {
      requestsBefore = suite.requests.length;
      const repository = await suite.repository(chart('first'));
      await suite.apply(gitRepository('app', repository.url, { timeout: '2s' }));
      return repository;
    },
    release: async (spec: JsonObject = {}) => {
      // As often as it takes: what is told to fail passes.
      const retries = { remediation: { retries: -1 } };
      await suite.apply(helmRelease('app', 'app', { install: retries, upgrade: retries, ...spec }));
    },
    settled: async () => {
      await suite.waitFor(at(), isReady, 'Ready');
      await suite.quiet(QUIET_MS);
    },
    commit: async (repository: TestRepository, content: Content, refused = false) => {
      await repository.commit(chart(content, refused ? refusedFiles : {}), content);
      commits += 1;
      await cluster.admin.call('PATCH', paths.git(cluster.namespace, 'app'), {
        body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': String(commits) } } },
      });
    },
    expectReleased: async (content: Content) => {
      const version = content === 'first' ? '1.0.0' : '2.0.0';
      const isLive = (object: Live | undefined) =>
        isReady(object) && object.status.history?.[0]?.chartVersion === version;
      // A status that is right may be that of the process which died: it holds when storage says the same.
      const secrets = `/api/v1/namespaces/${cluster.namespace}/secrets?labelSelector=owner%3Dhelm`;
      const newestOf = (list: Live): Live =>
        list.items.map((item: Live) => item.metadata.labels).sort((a: Live, b: Live) => b.version - a.version)[0];
      const isDeployed = (list: Live) => newestOf(list)?.status === 'deployed';
      await suite.waitFor(at(), isLive, `Ready at ${version}`);
      const { version: newestVersion } = newestOf(await suite.waitFor(secrets, isDeployed, 'a deployed revision'));
      const isTold = (object: Live) => isLive(object) && object.status.history[0].version >= Number(newestVersion);
      await suite.waitFor(at(), isTold, `revision ${newestVersion} at ${version}`);
      await suite.quiet(QUIET_MS);
      await suite.waitFor(at(), isLive, `Ready at ${version} to stay`);
      await expectSane();
      const { status } = await suite.get(at());
      const newest = await newestFirst();
      expect(newest.filter(({ info }) => info.status.startsWith('pending'))).toEqual([]);
      expect(newest.filter(({ info }) => info.status === 'deployed').map((each) => each.version)).toEqual([
        status.history[0].version,
      ]);
      expect(newest[0]!.version).toBe(status.history[0].version);
      expect(newest[0]!.chart.metadata['version']).toBe(version);
      expect(await configMaps()).toEqual(contents[content]);
    },
    expectUninstalled: async () => {
      await suite.waitFor(at(), (object) => object === undefined, 'gone');
      await expectSane();
      expect(await configMaps()).toEqual({});
      expect(await revisions()).toEqual([]);
    },
  }) as ReleaseFaultWorld;
}
