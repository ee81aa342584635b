// Owns what Git costs in the running product, `lockstep up`: from a push to the new artifact, and polling many
// repositories.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApi } from '../../support/api.ts';
import { gitRepository } from '../../support/build.ts';
import { startMemoryGitServer } from '../../support/memory-git-server.ts';
import { type Live, paths } from '../../support/reconciler.ts';
import { startUp } from '../../support/up.ts';
import { peakMemory } from './measure.ts';
import { generateManifests, moveMain } from './repositories.ts';

const NAMESPACE = 'default';
const REPOSITORIES = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/gitrepositories`;
const LIMIT_MS = 120_000;

/** The product while it is measured. */
async function openProduct(state: string) {
  const running = await startUp('--state', state, '--empty');
  const api = await openApi(join(state, 'kubeconfig'));
  return {
    api,
    /** CPU so far in ms; the kernel counts in hundredths of a second. */
    cpuMs: () => {
      const stat = readFileSync(`/proc/${running.process.pid}/stat`, 'utf8');
      const [user, system] = stat
        .replace(/^.*\) /, '')
        .split(' ')
        .slice(11);
      return (Number(user) + Number(system)) * 10;
    },
    peakMiB: () => peakMemory(running.process.pid as number),
    async until(done: () => Promise<boolean>): Promise<void> {
      const end = performance.now() + LIMIT_MS;
      while (!(await done())) {
        if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms:\n${running.output()}`);
        await sleep(5);
      }
    },
    async create(object: object): Promise<void> {
      const { status, body } = await api.call('POST', REPOSITORIES, { body: object });
      if (status !== 201) throw new Error(`not created: ${JSON.stringify(body)}`);
    },
    async stop(): Promise<void> {
      await api.close();
      running.process.kill('SIGTERM');
      await running.ended;
    },
  };
}

/** Times in ms from a push (and `requestedAt`) to the new `status.artifact`, one a step, and peak memory in MiB. */
export async function measurePushes(state: string, files: number, steps: number) {
  const product = await openProduct(state);
  try {
    const { gitPort } = JSON.parse(readFileSync(join(state, 'state.json'), 'utf8')) as { gitPort: number };
    const repository = generateManifests(join(state, 'git'), `http://127.0.0.1:${gitPort}`, {
      files,
      branches: 1,
      steps,
    });
    const path = paths.git(NAMESPACE, 'app');
    const revision = async () => ((await product.api.call('GET', path)).body as Live).status?.artifact?.revision;
    await product.create(gitRepository('app', repository.url));
    await product.until(async () => (await revision()) === `main@sha1:${repository.commits[0]}`);
    const times: number[] = [];
    for (let step = 1; step <= steps; step++) {
      moveMain(repository, step);
      const start = performance.now();
      const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': String(step) } } };
      await product.api.call('PATCH', path, { body });
      await product.until(async () => (await revision()) === `main@sha1:${repository.commits[step]}`);
      times.push(performance.now() - start);
    }
    return { times, peak: product.peakMiB() };
  } finally {
    await product.stop();
  }
}

/** Share of one core that polling `count` repositories each `interval` takes, and the polls that were counted. */
export async function measurePolls(state: string, count: number, intervalSeconds: number) {
  const server = await startMemoryGitServer();
  const product = await openProduct(state);
  try {
    for (let index = 0; index < count; index++) {
      await product.create(gitRepository(`r${index}`, `${server.url}/r${index}`, { interval: `${intervalSeconds}s` }));
    }
    await product.until(async () => {
      await sleep(500);
      const { body } = await product.api.call('GET', REPOSITORIES);
      return (body as Live).items.every((item: Live) => item.status?.artifact?.revision !== undefined);
    });
    await sleep(intervalSeconds * 2000);
    const polled = server.requests.get('ls-refs') ?? 0;
    const cpu = product.cpuMs();
    const start = performance.now();
    await sleep(intervalSeconds * 4000);
    const wall = performance.now() - start;
    const polls = (server.requests.get('ls-refs') ?? 0) - polled;
    return {
      share: (product.cpuMs() - cpu) / wall,
      polls,
      expected: (count * wall) / 1000 / intervalSeconds,
      peak: product.peakMiB(),
    };
  } finally {
    await product.stop();
    await server.close();
  }
}
