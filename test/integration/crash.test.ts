// `lockstep up` killed at random moments: after the next start the cluster equals Git, nothing is lost and nothing is
// orphaned. LOCKSTEP_KILLS sets the number of kills, LOCKSTEP_SEED the moments.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { freePorts } from '../cluster/processes.ts';
import { type Api, openApi } from '../support/api.ts';
import { configMapYaml, gitRepository, kustomization } from '../support/build.ts';
import { createWorkTree, git, temporaryFolder, writeFiles } from '../support/git.ts';
import { createRandom } from '../support/random.ts';
import { isReady, type Live, paths } from '../support/reconciler.ts';
import { firstSeed } from '../support/seeded-choices.ts';
import { startUp } from '../support/up.ts';

const kills = Number(process.env['LOCKSTEP_KILLS'] ?? 5);
const seed = firstSeed();
const DEADLINE_MS = 40_000;

describe('a killed process', () => {
  it(`loses nothing and orphans nothing (${kills} kills, LOCKSTEP_SEED=${seed})`, {
    timeout: 30_000 * (kills + 2),
  }, async () => {
    const random = createRandom(seed);
    const folder = temporaryFolder('crash');
    const state = join(folder.dir, 'state');
    const work = join(folder.dir, 'work');
    // Given, and none that outgoing connections get: the port of the first start may be somebody else's at the next.
    const [apiPort, gitPort] = await freePorts(2);
    const ports = ['--api-port', `${apiPort}`, '--git-port', `${gitPort}`];
    const start = () => startUp('--state', state, '--empty', '--log-level', 'error', ...ports);
    let running = await start();
    try {
      const url = await createRepository(work, `http://127.0.0.1:${gitPort}`);
      await createObjects(state, url);
      let names: string[] = [];
      for (let round = 0; round < kills; round += 1) {
        names = await pushRandomFiles(work, url, names, round, random);
        const head = await git(work, 'rev-parse', 'HEAD');
        await requestPass(state, `round-${round}`);
        await systemClock.sleep(random() * 700);
        running.process.kill('SIGKILL');
        await running.ended;
        running = await start();
        await expectConverged(state, head, names, round);
      }
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
      folder.remove();
    }
  });
});

async function createRepository(work: string, server: string): Promise<string> {
  const bare = join(work, '..', 'state', 'git', 'app.git');
  await createWorkTree(work);
  await git(work, 'init', '--quiet', '--bare', '--initial-branch=main', bare);
  return `${server}/app.git`;
}

async function createObjects(state: string, url: string): Promise<void> {
  await withApi(state, async (api) => {
    const namespace = 'default';
    const source = gitRepository('app', url, { interval: '1s' });
    const app = kustomization('app', 'app', { targetNamespace: namespace, interval: '1s', retryInterval: '1s' });
    const post = async (collection: string, object: object) => {
      const answer = await api.call('POST', collection, { body: object });
      expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    };
    await post(`/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories`, source);
    await post(`/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations`, app);
  });
}

/** Adds, changes and removes some ConfigMaps; answers the names that are in Git now. */
async function pushRandomFiles(
  work: string,
  url: string,
  names: readonly string[],
  round: number,
  random: () => number,
): Promise<string[]> {
  const kept = names.filter(() => random() < 0.7);
  const added = Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) => `cm-${round}-${index}`);
  const next = [...kept, ...added];
  const gone = names.filter((name) => !next.includes(name));
  writeFiles(work, {
    ...Object.fromEntries(gone.map((name) => [`${name}.yaml`, null])),
    ...Object.fromEntries(next.map((name) => [`${name}.yaml`, configMapYaml(name, { round: String(round) })])),
  });
  await git(work, 'add', '-A');
  await git(work, 'commit', '--quiet', '-m', `Round ${round}`);
  await git(work, 'push', '--quiet', url, 'HEAD:main');
  return next;
}

async function requestPass(state: string, token: string): Promise<void> {
  const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': token } } };
  await withApi(state, (api) => api.call('PATCH', paths.git('default', 'app'), { body }));
}

async function expectConverged(state: string, head: string, names: readonly string[], round: number): Promise<void> {
  await withApi(state, async (api) => {
    const end = performance.now() + DEADLINE_MS;
    for (;;) {
      const { body } = await api.call('GET', paths.kustomization('default', 'app'));
      const object = body as Live;
      if (isReady(object) && object.status.lastAppliedRevision === `main@sha1:${head}`) break;
      if (performance.now() > end)
        throw new Error(`not converged after kill ${round}: ${JSON.stringify(body, null, 1)}`);
      await systemClock.sleep(100);
    }
    const selector = encodeURIComponent('kustomize.toolkit.fluxcd.io/name=app');
    const { body } = await api.call('GET', `/api/v1/namespaces/default/configmaps?labelSelector=${selector}`);
    const live = new Map((body as Live).items.map((item: Live) => [item.metadata.name, item.data.round]));
    expect(live).toEqual(new Map(names.map((name) => [name, String(round)])));
    const { body: object } = await api.call('GET', paths.kustomization('default', 'app'));
    const inventory = (object as Live).status.inventory.entries.map((entry: { id: string }) => entry.id);
    expect(inventory.toSorted()).toEqual(names.map((name) => `default_${name}__ConfigMap`).toSorted());
  });
}

async function withApi<T>(state: string, run: (api: Api) => Promise<T>): Promise<T> {
  const api = await openApi(join(state, 'kubeconfig'));
  try {
    return await run(api);
  } finally {
    await api.close();
  }
}
