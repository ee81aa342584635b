// Three processes of `lockstep run --shards 3` on one API server: one is killed, one is stopped for longer than its Lease,
// one is cut off, one leaves. No key is without an owner for longer than a lease period and ten seconds, and none is written by two:
// each write is held against the table of slots by the server's own resourceVersions.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { foreignLeases } from '../../../src/runtime/leader.ts';
import { SLOT_COUNT, slotOf } from '../../../src/runtime/shards/slots.ts';
import { startGitServer } from '../../../src/sandbox/gitserver.ts';
import { configMapYaml, gitRepository, kustomization, sourceObject } from '../../support/build.ts';
import { chartArchive, indexEntry, indexYaml, startFileServer } from '../../support/chart-files.ts';
import { type ClusterUse, clusters, useCluster } from '../../support/cluster.ts';
import { createWorkTree, git, temporaryFolder, writeFiles } from '../../support/git.ts';
import { helmRelease } from '../../support/helm-charts.ts';
import { install, isReady, type Live, pathOf, paths } from '../../support/reconciler.ts';
import {
  type RecordedWrite,
  type ReplicaProcess,
  ReplicaProcesses,
  replicaTimes,
} from '../../support/replica-processes.ts';

const COUNT = 3;
const APPS = Array.from({ length: 24 }, (_, index) => `app-${index}`);
const RELEASES = Array.from({ length: 10 }, (_, index) => `release-${index}`);
const KINDS = new Set(['Kustomization', 'GitRepository', 'HelmRepository', 'HelmChart', 'HelmRelease']);
const DEADLINE_MS = 120_000;
/** Each wait has a bound of its own. */
const TIMEOUT_MS = 900_000;
/** Renewals of a replica in a lease period and ten seconds, and one that was about to be made. */
const RENEWALS = Math.ceil((replicaTimes.leaseS + 10) / replicaTimes.retryS) + 1;

for (const choice of clusters) {
  describe(`replicas that share the keys on ${choice.name}`, { timeout: TIMEOUT_MS }, () => {
    const cluster = useCluster(choice);
    beforeAll(() => install(cluster.admin));

    it('lose no key and write none twice when one is killed, one is stopped and one is cut off', async () => {
      const folder = temporaryFolder('shards');
      const server = await startGitServer({ root: join(folder.dir, 'git') });
      const replicas = new ReplicaProcesses(cluster, folder.dir, COUNT);
      try {
        const { url } = await server.createRepository('apps');
        const work = join(folder.dir, 'work');
        await createWorkTree(work);
        await git(work, 'remote', 'add', 'origin', url);
        const push = async (version: string): Promise<string> => {
          writeFiles(
            work,
            Object.fromEntries(APPS.map((app) => [`${app}/config.yaml`, configMapYaml(app, { version })])),
          );
          await git(work, 'add', '-A');
          await git(work, 'commit', '--quiet', '-m', version);
          await git(work, 'push', '--quiet', 'origin', 'HEAD:main');
          return `main@sha1:${await git(work, 'rev-parse', 'HEAD')}`;
        };
        const first = await push('first');
        const [killed, stopped, cut] = await startAll(replicas);
        await create(cluster, gitRepository('apps', url, { interval: '1s' }));
        for (const app of APPS) {
          const spec = { path: `./${app}`, targetNamespace: cluster.namespace, interval: '5s', retryInterval: '1s' };
          await create(cluster, kustomization(app, 'apps', spec));
        }
        await untilApplied(cluster, replicas, first);
        expect(await holdersOfFluxLeases(cluster)).toEqual(new Set(['lockstep-shards']));
        expect(writersOf(replicas.writes).size).toBeGreaterThan(1);

        killed.run.process.kill('SIGKILL');
        await expectWithinPeriod(stopped, async () => untilApplied(cluster, replicas, await push('one was killed')));
        await until(replicas, 'nothing is left to the one that was killed', () => replicas.slotsOf(killed) === 0);

        const fresh = await replicas.start();
        await until(replicas, 'the new replica has a share', () => replicas.slotsOf(fresh) > 0);
        await untilApplied(cluster, replicas, await push('one has come'));

        stopped.run.process.kill('SIGSTOP');
        await expectWithinPeriod(cut, async () => untilApplied(cluster, replicas, await push('one is stopped')));
        const before = stopped.sent();
        stopped.run.process.kill('SIGCONT');
        await stopped.run.ended;
        expect(stopped.run.output()).toContain('leadership was lost');
        expect(stopped.sent()).toBe(before);

        cut.api.inject(() => ({ kind: 'hang' }));
        cut.api.closeWatches();
        await expectWithinPeriod(fresh, async () => untilApplied(cluster, replicas, await push('one is cut off')));
        await cut.run.ended;
        expect(cut.run.output()).toContain('leadership was lost');
        await until(replicas, 'the last one has all slots', () => replicas.slotsOf(fresh) === SLOT_COUNT);

        expectOneWriterAtATime(replicas);
      } finally {
        await replicas.stop();
        await server.close();
        folder.remove();
      }
    });

    it('find charts and indexes wherever they are, and take over at once from one that leaves', async () => {
      const folder = temporaryFolder('shards-charts');
      const server = await startFileServer();
      const replicas = new ReplicaProcesses(cluster, folder.dir, COUNT);
      const publish = (...versions: string[]): void => {
        const archives = versions.map((version) => [version, chartArchive('app', version)] as const);
        for (const [version, archive] of archives) server.files.set(`/app-${version}.tgz`, archive);
        const entries = archives.map(([version, bytes]) => indexEntry('app', version, bytes));
        server.files.set('/index.yaml', indexYaml({ app: entries }));
      };
      try {
        publish('1.0.0');
        const [first, second, third] = await startAll(replicas);
        await create(cluster, sourceObject('HelmRepository', 'charts', { url: server.url, interval: '1s' }));
        const sourceRef = { kind: 'HelmRepository', name: 'charts' };
        const chart = { spec: { chart: 'app', version: '1.x', interval: '2s', sourceRef } };
        for (const app of RELEASES) await create(cluster, helmRelease(app, 'charts', { interval: '5s', chart }));
        await untilReleased(cluster, replicas, '1.0.0');
        expect(ownersOf(replicas, 'HelmChart').size).toBeGreaterThan(1);
        expect(ownersOf(replicas, 'HelmRelease').size).toBeGreaterThan(1);

        const before = second.renewals();
        first.run.process.kill('SIGTERM');
        await first.run.ended;
        await until(
          replicas,
          'the others have all slots',
          () => replicas.slotsOf(second) + replicas.slotsOf(third) === SLOT_COUNT,
        );
        expect(second.renewals() - before).toBeLessThan(replicaTimes.leaseS / replicaTimes.retryS);
        publish('1.0.0', '1.1.0');
        await untilReleased(cluster, replicas, '1.1.0');

        expectOneWriterAtATime(replicas);
      } finally {
        await replicas.stop();
        await server.stop();
        folder.remove();
      }
    });
  });
}

/** Three replicas, each of which has its share. */
async function startAll(replicas: ReplicaProcesses): Promise<[ReplicaProcess, ReplicaProcess, ReplicaProcess]> {
  const all = await Promise.all([replicas.start(), replicas.start(), replicas.start()]);
  await until(replicas, 'each has a share', () => all.every((replica) => replicas.slotsOf(replica) > 0));
  return all;
}

async function create(cluster: ClusterUse, object: object): Promise<void> {
  const { metadata, ...rest } = object as Live;
  const body = { ...rest, metadata: { ...metadata, namespace: cluster.namespace } };
  const answer = await cluster.admin.call('POST', pathOf(body).replace(/\/[^/]+$/, ''), { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
}

/** Who keeps Flux's controllers, and a single process of ours, from acting beside the replicas. */
async function holdersOfFluxLeases(cluster: ClusterUse): Promise<Set<string>> {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${cluster.namespace}/leases`;
  const leases = await Promise.all(foreignLeases.map((name) => cluster.admin.call('GET', `${collection}/${name}`)));
  return new Set(leases.map(({ body }) => (body as Live).spec?.holderIdentity));
}

/** Waits until every app has applied a revision and is Ready. */
async function untilApplied(cluster: ClusterUse, replicas: ReplicaProcesses, revision: string): Promise<void> {
  await until(replicas, `all to apply ${revision}`, async () => {
    const { body } = await cluster.admin.call('GET', paths.kustomization(cluster.namespace, '').replace(/\/$/, ''));
    return (body as Live).items.every((item: Live) => item.status?.lastAppliedRevision === revision);
  });
}

/**
 * Holds what happens meanwhile to a lease period and ten seconds, counted in renewals of a replica that goes on: on a
 * machine that is too busy to keep time they come late, too.
 */
async function expectWithinPeriod(witness: ReplicaProcess, happens: () => Promise<void>): Promise<void> {
  const before = witness.renewals();
  await happens();
  expect(witness.renewals() - before).toBeLessThanOrEqual(RENEWALS);
}

/** Waits until every release has been made of a version of the chart. */
async function untilReleased(cluster: ClusterUse, replicas: ReplicaProcesses, version: string): Promise<void> {
  await until(replicas, `all to release ${version}`, async () => {
    const { body } = await cluster.admin.call('GET', paths.helmRelease(cluster.namespace, '').replace(/\/$/, ''));
    return (body as Live).items.every(
      (item: Live) => item.status?.history?.[0]?.chartVersion === version && isReady(item),
    );
  });
}

async function until(replicas: ReplicaProcesses, what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}:\n${replicas.describe()}`);
    await systemClock.sleep(100);
  }
}

const writersOf = (writes: readonly RecordedWrite[]): Set<string> => new Set(writes.map(({ replica }) => replica));

/** Replicas that have written the status of objects of a kind. */
const ownersOf = ({ writes }: ReplicaProcesses, kind: string): Set<string> =>
  writersOf(writes.filter(({ object, path }) => object.kind === kind && path.endsWith('/status')));

/** The key for whose sake an object was written; undefined for what belongs to none. */
function keyOfWrite({ object, path }: RecordedWrite): readonly [kind: string, key: string] | undefined {
  const { kind, metadata } = object;
  // A HelmChart is made by its release and kept by its own key: its status tells of the latter.
  if (kind === 'HelmChart' && !path.endsWith('/status')) return undefined;
  if (KINDS.has(kind)) return [kind, `${metadata.namespace}/${metadata.name}`];
  for (const [owner, group] of [
    ['Kustomization', 'kustomize'],
    ['HelmRelease', 'helm'],
  ] as const) {
    const name = metadata?.labels?.[`${group}.toolkit.fluxcd.io/name`];
    if (name !== undefined) return [owner, `${metadata.labels[`${group}.toolkit.fluxcd.io/namespace`]}/${name}`];
  }
  return undefined;
}

/** Every change of an object was made by whoever had its key by the table as it was when the server stored it. */
function expectOneWriterAtATime(replicas: ReplicaProcesses): void {
  const seen = new Set<string>();
  let checked = 0;
  for (const write of replicas.writes) {
    const key = keyOfWrite(write);
    const version = write.object.metadata?.resourceVersion;
    // What changed nothing is answered with the version that was there.
    if (key === undefined || version === undefined || seen.has(`${write.path} ${version}`)) continue;
    seen.add(`${write.path} ${version}`);
    const owner = replicas.ownerAt(slotOf(...key), BigInt(version));
    expect(owner, `${key.join(' ')} was written at ${version} by ${write.replica}`).toBe(write.replica);
    checked += 1;
  }
  expect(checked).toBeGreaterThan(RELEASES.length * 4);
}
