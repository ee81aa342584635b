// Measures the first lesson as a newcomer meets it: `lockstep up` to the first deploy, push to live by `requestedAt` and by
// the interval alone, and resident memory, each beside the figure that was asked for. Prints, asserts nothing.
//   node test/bench/up.ts [--pushes 40] [--interval-pushes 20]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { demoName, demoRepository } from '../../src/cli/demo.ts';
import { type Api, openApi } from '../support/api.ts';
import { git, temporaryFolder } from '../support/git.ts';
import { type Live, paths } from '../support/reconciler.ts';
import { startUp } from '../support/up.ts';

const NAMESPACE = 'default';
const DEPLOYMENT = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${demoName}`;
const LIMIT_MS = 60_000;

const { values } = parseArgs({
  options: { pushes: { type: 'string', default: '40' }, 'interval-pushes': { type: 'string', default: '20' } },
});
const folder = temporaryFolder('bench-up');
const state = join(folder.dir, 'state');
const work = join(folder.dir, 'work');

const started = performance.now();
const running = await startUp('--state', state);
const api = await openApi(join(state, 'kubeconfig'));
try {
  await until(async () => (await readDeployment(api)) !== undefined);
  report('npm start to the first deploy', `${since(started).toFixed(0)} ms`, 'asked: < 10,000');
  await settled(api);
  report('resident memory after it', megabytes('VmRSS'), 'asked: < 250 MiB');
  const { gitPort } = JSON.parse(readFileSync(join(state, 'state.json'), 'utf8')) as { gitPort: number };
  await git(folder.dir, 'clone', '--quiet', `http://127.0.0.1:${gitPort}/${demoRepository}.git`, work);
  const requested = await measurePushes(Number(values.pushes), () => requestPass(api));
  report('push to live by requestedAt', spread(requested), 'asked: < 500 ms');
  report('resident memory after those pushes', megabytes('VmRSS'), 'asked: < 250 MiB');
  const polled = await measurePushes(Number(values['interval-pushes']), async () => {});
  report('push to live by the interval of 5 s', spread(polled), 'asked: p95 < 6,000 ms');
  report('highest resident memory', megabytes('VmHWM'), 'asked: < 250 MiB');
} finally {
  await api.close();
  running.process.kill('SIGTERM');
  await running.ended;
  folder.remove();
}

/** Pushes a changed environment variable again and again; answers the times from push to live, in ms. */
async function measurePushes(count: number, ask: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  const file = join(work, (await git(work, 'ls-files')).trim());
  for (let round = 0; round < count; round += 1) {
    const value = `${Date.now()}`;
    const text = readFileSync(file, 'utf8').replace(/( +env:\n.*\n.*\n)?$/, '');
    await git(work, 'pull', '--quiet');
    writeFileSync(file, `${text}        env:\n        - name: ROUND\n          value: "${value}"\n`);
    await git(work, 'commit', '--quiet', '--all', '-m', `Round ${round}`);
    await git(work, 'push', '--quiet');
    const pushed = performance.now();
    await ask();
    await until(async () => roundOf(await readDeployment(api)) === value);
    times.push(since(pushed));
    await settled(api);
  }
  return times;
}

async function requestPass(api: Api): Promise<void> {
  const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } } };
  await api.call('PATCH', paths.git(NAMESPACE, demoName), { body });
}

async function readDeployment(api: Api): Promise<Live | undefined> {
  const { status, body } = await api.call('GET', DEPLOYMENT);
  return status === 200 ? (body as Live) : undefined;
}

function roundOf(deployment: Live | undefined): string | undefined {
  return deployment?.spec.template.spec.containers[0].env?.[0]?.value;
}

/** Waits until the Kustomization says that it has applied what the source has. */
async function settled(api: Api): Promise<void> {
  await until(async () => {
    const source = (await api.call('GET', paths.git(NAMESPACE, demoName))).body as Live;
    const app = (await api.call('GET', paths.kustomization(NAMESPACE, demoName))).body as Live;
    const revision = source.status?.artifact?.revision;
    return revision !== undefined && app.status?.lastAppliedRevision === revision;
  });
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await done())) {
    if (performance.now() > end) throw new Error(`not within ${LIMIT_MS} ms:\n${running.output()}`);
    await sleep(5);
  }
}

function since(start: number): number {
  return performance.now() - start;
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(0);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms over ${sorted.length}`;
}

function megabytes(field: 'VmRSS' | 'VmHWM'): string {
  const status = readFileSync(`/proc/${running.process.pid}/status`, 'utf8');
  return `${(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024).toFixed(0)} MiB`;
}

function report(what: string, measured: string, asked: string): void {
  console.log(`${what.padEnd(38)} ${measured.padEnd(44)} ${asked}`);
}
