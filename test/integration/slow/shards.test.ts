// Three processes of `lockstep run --shards 3` on one API server: one is killed, one is stopped for longer than its Lease,
// one is cut off. No key is without an owner for longer than a lease period and ten seconds, and none is written by two:
// each write is held against the table of slots by the server's own resourceVersions.
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { slotOf } from '../../../src/runtime/shards/slots.ts';
import { startGitServer } from '../../../src/sandbox/gitserver.ts';
import { configMapYaml, gitRepository, kustomization } from '../../support/build.ts';
import { type ClusterUse, clusters, useCluster } from '../../support/cluster.ts';
import { createWorkTree, git, temporaryFolder, writeFiles } from '../../support/git.ts';
import { install, type Live, pathOf, paths } from '../../support/reconciler.ts';
import {
  type RecordedWrite,
  type ReplicaProcess,
  ReplicaProcesses,
  replicaTimes,
} from '../../support/replica-processes.ts';

const COUNT = 3;
const APPS = Array.from({ length: 24 }, (_, index) => `app-${index}`);
const DEADLINE_MS = 120_000;
/** Renewals of a replica in a lease period and ten seconds, and one that was about to be made. */
const RENEWALS = Math.ceil((replicaTimes.leaseS + 10) / replicaTimes.retryS) + 1;

for (const choice of clusters) {
  describe(`replicas that share the keys on ${choice.name}`, () => {
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
        await create(cluster, gitRepository('apps', url, { interval: '1s' }));
        for (const app of APPS) {
          const spec = { path: `./${app}`, targetNamespace: cluster.namespace, interval: '5s', retryInterval: '1s' };
          await create(cluster, kustomization(app, 'apps', spec));
        }
        const [killed, stopped, cut] = await Promise.all([replicas.start(), replicas.start(), replicas.start()]);
        await untilApplied(cluster, first);
        for (const replica of [killed, stopped, cut]) expect(replicas.slotsOf(replica)).toBeGreaterThan(0);
        expect(writersOf(replicas.writes).size).toBe(COUNT);

        killed.run.process.kill('SIGKILL');
        await expectWithinPeriod(stopped, async () => untilApplied(cluster, await push('one was killed')));
        expect(replicas.slotsOf(killed)).toBe(0);

        const fresh = await replicas.start();
        await until('the new replica has a share', () => replicas.slotsOf(fresh) > 0);
        await untilApplied(cluster, await push('one has come'));

        stopped.run.process.kill('SIGSTOP');
        await expectWithinPeriod(cut, async () => untilApplied(cluster, await push('one is stopped')));
        const before = stopped.sent();
        stopped.run.process.kill('SIGCONT');
        await stopped.run.ended;
        expect(stopped.run.output()).toContain('leadership was lost');
        expect(stopped.sent()).toBe(before);

        cut.api.inject(() => ({ kind: 'hang' }));
        cut.api.closeWatches();
        await expectWithinPeriod(fresh, async () => untilApplied(cluster, await push('one is cut off')));
        await cut.run.ended;
        expect(cut.run.output()).toContain('leadership was lost');
        expect(replicas.slotsOf(fresh)).toBe(256);

        expectOneWriterAtATime(replicas);
      } finally {
        await replicas.stop();
        await server.close();
        folder.remove();
      }
    });
  });
}

async function create(cluster: ClusterUse, object: object): Promise<void> {
  const { metadata, ...rest } = object as Live;
  const body = { ...rest, metadata: { ...metadata, namespace: cluster.namespace } };
  const answer = await cluster.admin.call('POST', pathOf(body).replace(/\/[^/]+$/, ''), { body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
}

/** Waits until every app has applied a revision and is Ready. */
async function untilApplied(cluster: ClusterUse, revision: string): Promise<void> {
  await until(`all to apply ${revision}`, async () => {
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

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await systemClock.sleep(100);
  }
}

const writersOf = (writes: readonly RecordedWrite[]): Set<string> => new Set(writes.map(({ replica }) => replica));

/** The key for whose sake an object was written; undefined for what belongs to none. */
function keyOfWrite({ object }: RecordedWrite): readonly [kind: string, key: string] | undefined {
  const { kind, metadata } = object;
  if (kind === 'Kustomization' || kind === 'GitRepository') return [kind, `${metadata.namespace}/${metadata.name}`];
  const app = metadata?.labels?.['kustomize.toolkit.fluxcd.io/name'];
  if (app === undefined) return undefined;
  return ['Kustomization', `${metadata.labels['kustomize.toolkit.fluxcd.io/namespace']}/${app}`];
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
  expect(checked).toBeGreaterThan(APPS.length * 4);
}
