// Owns conformance suites: a folder of tables of exchanges with an API server, each case run on every server and its
// answers compared to those of a real kube-apiserver, which are recorded beside the table.
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, openApi } from '../api.ts';
import { clusters, makeNamespace, type RunningCluster } from '../cluster.ts';
import { type Kind, type Recorded, runStep, type Step } from './exchange.ts';
import { createRun } from './normalise.ts';

interface Case {
  readonly name: string;
  /** Steps before those that matter: they must succeed, and their answers are not recorded. */
  readonly given?: readonly Step[];
  readonly steps: readonly Step[];
}

interface Table {
  readonly kinds: Readonly<Record<string, Kind>>;
  /** Once before all cases, such as CustomResourceDefinitions; must succeed. */
  readonly setup?: readonly Step[];
  /** Once after all cases. */
  readonly cleanup?: readonly Step[];
  readonly cases: readonly Case[];
}

type Expected = Readonly<Record<string, readonly Recorded[]>>;

/** Records instead of comparing: `LOCKSTEP_ONLY_REAL=1 UPDATE_CASES=1 npm run test:cluster -- test/conformance/…`. */
const RECORDING = process.env['UPDATE_CASES'] === '1';
/** How often each case runs again: what a real server leaves to chance shows within a few dozen times. */
const REPEATS = Number(process.env['LOCKSTEP_REPEATS'] ?? 0);

/** Declares the cases of every `<area>.yaml` in a folder, on each server. */
export function describeExchanges(folder: string): void {
  const areas = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length));
  // A cluster of somebody's own may be of any version.
  for (const cluster of clusters.filter(({ name }) => name !== 'existing')) {
    describe(cluster.name, () => {
      let running: RunningCluster | undefined;
      const use: { api?: Api } = {};
      beforeAll(async () => {
        running = await cluster.start();
        use.api = await openApi(running.kubeconfig);
      });
      afterAll(async () => {
        await use.api?.close();
        await running?.stop();
      });
      const recording = RECORDING && cluster.name === 'kube-apiserver';
      for (const area of areas) describe(area, () => describeArea(folder, area, { use, recording }));
    });
  }
}

function describeArea(folder: string, area: string, { use, recording }: { use: { api?: Api }; recording: boolean }) {
  const table = load(readFileSync(join(folder, `${area}.yaml`), 'utf8')) as Table;
  const file = join(folder, `${area}.expected.json`);
  const expected = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Expected) : {};
  const recorded: Record<string, readonly Recorded[]> = {};
  const api = (): Api => use.api!;

  beforeAll(() => runAll(createExchange(api(), table, 'default'), table.setup));
  afterAll(async () => {
    await runAll(createExchange(api(), table, 'default'), table.cleanup);
    if (recording) writeFileSync(file, format(table, { ...expected, ...recorded }));
  });

  for (const { name, given, steps } of table.cases) {
    it(name, { repeats: REPEATS }, async () => {
      // Namespaces stay: the servers of these suites are thrown away, and deleting one costs a real server seconds.
      const namespace = `conformance-${randomBytes(5).toString('hex')}`;
      await makeNamespace(api(), { name: namespace });
      const exchange = createExchange(api(), table, namespace);

      await runAll(exchange, given);
      const answers: Recorded[] = [];
      for (const step of steps) answers.push(await runStep(exchange, step));

      if (recording) recorded[name] = answers;
      else expect(answers).toEqual(expected[name]);
    });
  }

  it('has an expectation for each case and no other', () => {
    const names = table.cases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    if (!recording) expect(Object.keys(expected).sort()).toEqual(names.sort());
  });
}

function createExchange(api: Api, { kinds }: Table, namespace: string): Parameters<typeof runStep>[0] {
  return { api, kinds, names: new Map([['ns', namespace]]), run: createRun(namespace, Date.now()) };
}

async function runAll(exchange: Parameters<typeof runStep>[0], steps: readonly Step[] = []): Promise<void> {
  for (const step of steps) {
    const answer = await runStep(exchange, step);
    if (answer.status >= 300 && answer.status !== step.until) throw new Error(`${step.do}: ${JSON.stringify(answer)}`);
  }
}

/** One answer in a line, in the order of the table. */
function format({ cases }: Table, recorded: Expected): string {
  const blocks = cases.flatMap(({ name }) => {
    const lines = (recorded[name] ?? []).map((answer) => `  ${JSON.stringify(answer)}`);
    return lines.length === 0 ? [] : [` ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n ]`];
  });
  return `{\n${blocks.join(',\n')}\n}\n`;
}
