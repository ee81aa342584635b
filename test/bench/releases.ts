// Measures the controller's CPU for installing many HelmReleases of one chart, and memory after it, each beside the
// figure that was asked for. The API server is another process. Prints, asserts nothing.
//   node test/bench/releases.ts [--count 100] [--template]      --template: each release makes a HelmChart of its own
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { customResourceDefinitions } from '../../src/api/crd.ts';
import { type Api, openApi } from '../support/api.ts';
import { gitRepository } from '../support/build.ts';
import { corpusFolder } from '../support/corpus.ts';
import { createWorkTree, git, temporaryFolder } from '../support/git.ts';
import { helmRelease } from '../support/helm-charts.ts';
import { isReady, type Live, pathOf } from '../support/reconciler.ts';
import { startCommand } from '../support/up.ts';

const NAMESPACE = 'default';
const LIMIT_MS = 300_000;
const TICKS_PER_SECOND = 100;

const { values } = parseArgs({
  options: { count: { type: 'string', default: '100' }, template: { type: 'boolean', default: false } },
});
const count = Number(values.count);
const corpus = corpusFolder('helm/charts');
if (corpus === undefined) throw new Error('the corpus is missing');
const folder = temporaryFolder('bench-releases');
const state = join(folder.dir, 'sandbox');
const sandbox = await startCommand(['sandbox', '--state', state], 'lockstep is up');
const kubeconfig = join(state, 'kubeconfig');
const api = await openApi(kubeconfig);
try {
  for (const definition of customResourceDefinitions() as Live[]) await apply(definition);
  const { gitPort } = JSON.parse(readFileSync(join(state, 'state.json'), 'utf8')) as { gitPort: number };
  const url = `http://127.0.0.1:${gitPort}/charts.git`;
  await pushChart(url);
  const controller = await startCommand(
    [
      'run',
      '--kubeconfig',
      kubeconfig,
      '--http-port',
      '0',
      '--internal-port',
      '0',
      '--log-level',
      'error',
      '--state',
      join(folder.dir, 'run'),
    ],
    ' is running: ',
  );
  try {
    await apply(gitRepository('charts', url));
    await apply({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'HelmChart',
      metadata: { name: 'podinfo' },
      spec: { chart: './chart', interval: '1h', sourceRef: { kind: 'GitRepository', name: 'charts' } },
    });
    await until(async () => isReady(await read('source.toolkit.fluxcd.io/v1', 'helmcharts', 'podinfo')));
    const pid = controller.process.pid!;
    const idle = cpuSeconds(pid);
    const started = performance.now();
    for (let at = 0; at < count; at += 1) await apply(release(`web-${at}`));
    await until(async () => (await listReleases()).filter(isReady).length === count);
    const took = (performance.now() - started) / 1000;
    report(`controller CPU for ${count} installs`, `${(cpuSeconds(pid) - idle).toFixed(2)} s`, 'asked: <= 5 s for 100');
    report('time until all were ready', `${took.toFixed(1)} s`, '');
    report('resident memory after it', `${memory(pid)} MiB`, '');
    const before = cpuSeconds(pid);
    await sleep(10_000);
    report('controller CPU in ten quiet seconds', `${(cpuSeconds(pid) - before).toFixed(2)} s`, '');
  } finally {
    controller.process.kill('SIGTERM');
    await controller.ended;
  }
} finally {
  await api.close();
  sandbox.process.kill('SIGTERM');
  await sandbox.ended;
  folder.remove();
}

function release(name: string): Live {
  const wanted = { values: { fullnameOverride: name } };
  if (values.template) return helmRelease(name, 'charts', wanted);
  const { chart: _chart, ...spec } = (helmRelease(name, 'charts', wanted) as Live).spec;
  return { ...helmRelease(name, 'charts'), spec: { ...spec, chartRef: { kind: 'HelmChart', name: 'podinfo' } } };
}

async function pushChart(url: string): Promise<void> {
  const work = join(folder.dir, 'work');
  await createWorkTree(work);
  cpSync(join(corpus!, 'podinfo', 'chart'), join(work, 'chart'), { recursive: true });
  await git(work, 'add', '-A');
  await git(work, 'commit', '--quiet', '-m', 'The chart');
  await git(join(state, 'git'), 'init', '--quiet', '--bare', '-b', 'main', 'charts.git');
  await git(work, 'push', '--quiet', url, 'HEAD:main');
}

async function apply(object: Live): Promise<void> {
  const isCluster = object.kind === 'CustomResourceDefinition';
  const body = isCluster ? object : { ...object, metadata: { namespace: NAMESPACE, ...object.metadata } };
  const path = `${pathOf(body)}?fieldManager=bench&force=true`;
  const answer = await api.call('PATCH', path, { body, contentType: 'application/apply-patch+yaml' });
  if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
}

async function read(apiVersion: string, plural: string, name: string): Promise<Live> {
  return (await (api as Api).call('GET', `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}/${name}`)).body;
}

async function listReleases(): Promise<Live[]> {
  return ((await read('helm.toolkit.fluxcd.io/v2', 'helmreleases', '')) as Live).items ?? [];
}

async function until(isThere: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  while (!(await isThere())) {
    if (performance.now() > end) throw new Error('it took too long');
    await sleep(200);
  }
}

/** CPU of a process and its threads so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memory(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

function report(what: string, figure: string, asked: string): void {
  console.log(`${what.padEnd(48)} ${figure.padStart(12)}  ${asked}`);
}
