// Owns the world of the fault suite: one repository whose two revisions create, change, keep and drop objects, the
// bystanders beside them, and what must hold when all is over.
import { rmSync } from 'node:fs';
import { expect } from 'vitest';
import type { SentRequest } from '../../src/cluster/rest.ts';
import { configMapYaml, gitRepository, kustomization } from './build.ts';
import { CANARY } from './canary.ts';
import type { ClusterChoice, ClusterUse } from './cluster.ts';
import { useCluster } from './cluster.ts';
import { createFastClock, type FastClock } from './fast-clock.ts';
import { type FaultRule, type FaultyApi, inNamespace, startFaultyApi } from './fault-api.ts';
import {
  isReady,
  type Live,
  paths,
  type ReconcilerUse,
  type SuiteOptions,
  type TestRepository,
  until,
  untilTold,
  useReconciler,
} from './reconciler.ts';

/** A minute's time limit takes three seconds. */
const SPEED = 20;

/** Of the reconciler's time. */
const QUIET_MS = 3_000;

/** More requests in one case, watches and retries included, are a hot loop. Measured: 150 at most. */
const MOST_REQUESTS = 450;
/**
 * More in a minute while the server is away are one, too. Measured: 460 at most in the first minute, when the waits of
 * the watches are still short and a pass is tried again every two seconds.
 */
const MOST_REQUESTS_AWAY = 900;
const MINUTE_MS = 60_000;

const first: Readonly<Record<string, string>> = {
  'changed.yaml': configMapYaml('changed', { revision: 'first' }),
  'kept.yaml': configMapYaml('kept', { revision: 'both' }),
  'dropped-1.yaml': configMapYaml('dropped-1', { revision: 'first' }),
  'dropped-2.yaml': configMapYaml('dropped-2', { revision: 'first' }),
  'dropped-3.yaml': configMapYaml('dropped-3', { revision: 'first' }),
  'secret.yaml': secretYaml('first'),
};
const second: Readonly<Record<string, string | null>> = {
  'changed.yaml': configMapYaml('changed', { revision: 'second' }),
  'dropped-1.yaml': null,
  'dropped-2.yaml': null,
  'dropped-3.yaml': null,
  'made-1.yaml': configMapYaml('made-1', { revision: 'second' }),
  'made-2.yaml': configMapYaml('made-2', { revision: 'second' }),
  'made-3.yaml': configMapYaml('made-3', { revision: 'second' }),
  'secret.yaml': secretYaml('second'),
};
/** ConfigMaps of each revision and the value they must have. */
const wanted = {
  first: { changed: 'first', kept: 'both', 'dropped-1': 'first', 'dropped-2': 'first', 'dropped-3': 'first' },
  second: { changed: 'second', kept: 'both', 'made-1': 'second', 'made-2': 'second', 'made-3': 'second' },
} as const;

/** What happens between the death of a process and the first moments of the next one. */
export interface Replacement {
  /** The next process finds an empty disk. @default false */
  readonly lostDisk?: boolean;
  readonly meanwhile?: () => Promise<unknown>;
  /** What the next process meets from its first request on. */
  readonly rule?: FaultRule;
}

function secretYaml(revision: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: hidden\nstringData:\n  value: ${CANARY}\n  revision: ${revision}\n`;
}

export interface FaultWorld {
  readonly cluster: ClusterUse;
  readonly suite: ReconcilerUse;
  readonly clock: FastClock;
  /** The road of the process that runs now. */
  readonly api: FaultyApi;
  /** Deploys the first revision and the bystanders. `gitUrl` rewrites the address of the repository. */
  deploy(gitUrl?: (url: string) => string): Promise<TestRepository>;
  /** Commits the second revision and asks for a pass of the source; answers the commit. */
  push(repository: TestRepository): Promise<string>;
  /** Goes back to the first revision by a forced push, and asks for a pass of the source; answers the commit. */
  takeBack(repository: TestRepository): Promise<string>;
  /** Looks at how often the server is asked while it is away, from the first to the last moment of `during`. */
  away(during: () => Promise<unknown>): Promise<void>;
  /** Breaks requests that concern this test's namespace, and watches. */
  inject(rule: FaultRule | undefined): void;
  /** Waits until the process has died, and starts another one. */
  replace(how?: Replacement): Promise<void>;
  /** Waits for the revision of a commit and looks at everything. @param content @default 'second' */
  expectLive(head: string, content?: 'first' | 'second'): Promise<void>;
  /** Waits until the Kustomization is gone and looks at what it left behind. */
  expectGone(): Promise<void>;
}

/** Sets the world up for the suite around it. Read it inside tests only. */
export function useFaultWorld(
  choice: ClusterChoice,
  { speed = SPEED, ...options }: SuiteOptions & { readonly speed?: number } = {},
): FaultWorld {
  const clock = createFastClock(speed);
  const quiet = () => suite.quiet(QUIET_MS / speed);
  const roads: FaultyApi[] = [];
  const cluster = useCluster(choice);
  const suite = useReconciler(cluster, {
    ...options,
    clock,
    requeueDependencyMs: 2_000,
    route: async (access) => {
      const road = await startFaultyApi(access);
      roads.push(road);
      inject(nextRule);
      nextRule = undefined;
      return road.access;
    },
  });
  let bystanders: Live[] = [];
  let deployed: string | undefined;
  let requestsBefore = 0;
  let nextRule: FaultRule | undefined;
  const road = (): FaultyApi => roads.at(-1)!;
  const inject = (rule: FaultRule | undefined): void => {
    road().inject(rule && inNamespace(cluster.namespace, rule));
  };
  const request = (token: string): Promise<unknown> => {
    const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } };
    return cluster.admin.call('PATCH', paths.git(cluster.namespace, 'app'), { body });
  };

  // The namespace of the test before goes in the server's own time: its files would make room on a disk that is to be
  // full, and its requests would be counted here.
  const clearEarlier = async (): Promise<void> => {
    if (deployed === undefined) return;
    for (const path of [paths.kustomization(deployed, 'app'), paths.git(deployed, 'app')]) {
      await cluster.admin.call('DELETE', path);
      await suite.waitFor(path, (object) => object === undefined, 'gone');
    }
  };

  const expectSane = async (): Promise<void> => {
    await quiet();
    const requests = suite.requests.slice(requestsBefore);
    expect(requests.length, `requests of the case: ${mostFrequent(requests)}`).toBeLessThan(MOST_REQUESTS);
    for (const before of bystanders) {
      const after = await suite.get(paths.configMap(cluster.namespace, before.metadata.name));
      expect(after, `bystander ${before.metadata.name}`).toEqual(before);
    }
  };
  const liveConfigMaps = async (): Promise<Record<string, string>> => {
    const { body } = await cluster.admin.call('GET', `/api/v1/namespaces/${cluster.namespace}/configmaps`);
    const names = new Set(['kube-root-ca.crt', ...bystanders.map((item) => item.metadata.name)]);
    const ours = (body as Live).items.filter((item: Live) => !names.has(item.metadata.name));
    return Object.fromEntries(ours.map((item: Live) => [item.metadata.name, item.data.revision]));
  };

  return {
    cluster,
    suite,
    clock,
    get api() {
      return road();
    },
    deploy: async (gitUrl = (url) => url) => {
      const { namespace } = cluster;
      inject(undefined);
      await clearEarlier();
      deployed = namespace;
      requestsBefore = suite.requests.length;
      const repository = await suite.repository(first);
      bystanders = [
        await suite.apply(bystander('stranger', {})),
        // Has our labels, as a copy made by hand has, but no inventory knows it.
        await suite.apply(bystander('look-alike', ownerLabels(namespace))),
        await suite.apply(bystander('dropped-4', ownerLabels(namespace))),
      ];
      await suite.apply(gitRepository('app', gitUrl(repository.url), { timeout: '2s' }));
      await suite.apply(kustomization('app', 'app', { targetNamespace: namespace, retryInterval: '2s' }));
      await suite.waitFor(paths.kustomization(namespace, 'app'), isReady, 'Ready');
      await quiet();
      return repository;
    },
    push: async (repository) => {
      const head = await repository.commit(second, 'Second');
      await request('second');
      return head;
    },
    takeBack: async (repository) => {
      await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
      await repository.git('push', '--quiet', '--force', 'origin', 'HEAD:main');
      await request('taken back');
      return repository.git('rev-parse', 'HEAD');
    },
    inject,
    away: async (during) => {
      const before = { requests: suite.requests.length, ms: clock.monotonic() };
      await during();
      const attempts = suite.requests.length - before.requests;
      const minutes = Math.ceil((clock.monotonic() - before.ms) / MINUTE_MS);
      requestsBefore += attempts;
      expect(attempts, `requests in ${minutes} minutes`).toBeGreaterThan(0);
      expect(attempts, `requests in ${minutes} minutes`).toBeLessThan(minutes * MOST_REQUESTS_AWAY);
    },
    replace: async ({ lostDisk = false, meanwhile, rule } = {}) => {
      await untilTold('the death of the process', road().died);
      await suite.stop();
      await road().close();
      await meanwhile?.();
      nextRule = rule;
      if (lostDisk) rmSync(suite.stateDir, { recursive: true });
      await suite.start();
    },
    expectLive: async (head, content = 'second') => {
      const { namespace } = cluster;
      const revision = `main@sha1:${head}`;
      const path = paths.kustomization(namespace, 'app');
      const isLive = (object: Live | undefined) => isReady(object) && object.status.lastAppliedRevision === revision;
      // A status that is right may be that of the process which died: it counts when the next one has had its say.
      const labels = ['kind="Kustomization"', 'name="app"', `namespace="${namespace}"`];
      await until(
        'a pass of the process that runs now',
        async () => (await suite.metric('gotk_reconcile_duration_seconds_count', ...labels)) > 0,
      );
      await suite.waitFor(path, isLive, `Ready at ${revision}`);
      await suite.waitFor(
        paths.git(namespace, 'app'),
        (object) => isReady(object) && object.status.artifact.revision === revision,
        `a source at ${revision}`,
      );
      await expectSane();
      const object = await suite.get(path);
      expect(isLive(object), JSON.stringify(object?.status)).toBe(true);
      expect(object.status.conditions.map((item: Live) => item.type)).toEqual(['Ready']);
      expect(object.status.lastAttemptedRevision).toBe(revision);
      expect(await liveConfigMaps()).toEqual(wanted[content]);
      const secret = await suite.get(`/api/v1/namespaces/${namespace}/secrets/hidden`);
      expect(Buffer.from(secret.data.revision, 'base64').toString()).toBe(content);
      const inventory = object.status.inventory.entries.map((entry: { id: string }) => entry.id);
      const names = Object.keys(wanted[content]).map((name) => `${namespace}_${name}__ConfigMap`);
      expect(inventory.toSorted()).toEqual([...names, `${namespace}_hidden__Secret`].toSorted());
    },
    expectGone: async () => {
      const { namespace } = cluster;
      await suite.waitFor(paths.kustomization(namespace, 'app'), (object) => object === undefined, 'gone');
      await expectSane();
      expect(await liveConfigMaps()).toEqual({});
      expect(await suite.get(`/api/v1/namespaces/${namespace}/secrets/hidden`)).toBeUndefined();
    },
  };
}

/** What was asked most often, to tell a loop by. */
function mostFrequent(requests: readonly SentRequest[]): string {
  const byPath = Map.groupBy(
    requests,
    ({ method, watch, path }) => `${watch ? 'WATCH' : method} ${path.split('?')[0]}`,
  );
  const counts = [...byPath].map(([path, sent]) => [path, sent.length] as const).sort(([, a], [, b]) => b - a);
  return JSON.stringify(counts.slice(0, 8));
}

function bystander(name: string, labels: Record<string, string>) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data: { revision: 'none' } };
}

function ownerLabels(namespace: string): Record<string, string> {
  return { 'kustomize.toolkit.fluxcd.io/name': 'app', 'kustomize.toolkit.fluxcd.io/namespace': namespace };
}
