// Every chart and case of the Helm corpus against the recorded output of Helm 3.22 and 4.2, byte for byte.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { helmTemplate } from '../../src/cli/helm.ts';
import { corpusFolder } from '../support/corpus.ts';
import { recordIo } from '../support/recorded-io.ts';

interface CaseArgs {
  readonly name?: string;
  readonly [flag: string]: string | boolean | readonly string[] | undefined;
}

interface Case {
  readonly n: number;
  readonly args: CaseArgs;
  readonly golden: string;
  readonly golden4?: string | null;
  readonly warnings?: readonly string[];
}

const folder = corpusFolder('helm');

describe.skipIf(folder === undefined)('helm corpus', () => {
  const charts = join(folder ?? '', 'charts');
  for (const chart of folder === undefined ? [] : readdirSync(charts)) {
    const place = join(charts, chart);
    const { chart: file, cases } = JSON.parse(readFileSync(join(place, 'cases.json'), 'utf8')) as {
      chart: string;
      cases: readonly Case[];
    };
    describe(chart, () => {
      it.each(cases)('case $n is what Helm 3 prints', async (each) => {
        const actual = await run(place, file, each.args, 'helm3');

        expect(normalize(actual.output, each.golden)).toBe(normalize(golden(place, each.golden), each.golden));
        expect(actual.warnings).toEqual(each.warnings ?? []);
      });

      const fixed = cases.filter((each) => each.golden4 !== null);
      it.each(fixed)('case $n is what Helm 4 prints', async (each) => {
        const { output } = await run(place, file, each.args, 'helm4');
        const want = each.golden4 === undefined || each.golden4 === 'blank-lines' ? each.golden : each.golden4!;

        const trim = each.golden4 === 'blank-lines' ? withoutBlankLines : (text: string) => text;
        expect(normalize(trim(output), want)).toBe(normalize(trim(golden(place, want)), want));
      });
    });
  }
});

const FLAGS: Readonly<Record<string, string>> = {
  namespace: '--namespace',
  values: '-f',
  setJson: '--set-json',
  set: '--set',
  setString: '--set-string',
  setFile: '--set-file',
  setLiteral: '--set-literal',
  kubeVersion: '--kube-version',
  apiVersions: '--api-versions',
  includeCrds: '--include-crds',
  skipTests: '--skip-tests',
  noHooks: '--no-hooks',
  isUpgrade: '--is-upgrade',
  skipSchemaValidation: '--skip-schema-validation',
  showOnly: '--show-only',
};

async function run(
  cwd: string,
  chart: string,
  { name = 'rel', ...args }: CaseArgs,
  compat: string,
): Promise<{ output: string; warnings: string[] }> {
  const argv = [name, chart, '--compat', compat];
  for (const [key, value] of Object.entries(args)) {
    const flag = FLAGS[key];
    if (flag === undefined) throw new Error(`the corpus has a flag that this runner does not know: ${key}`);
    for (const each of [value].flat()) argv.push(...(each === true ? [flag] : [flag, String(each)]));
  }
  const io = recordIo(cwd);
  const code = await helmTemplate(argv, io);
  const { stdout, stderr } = io.written();
  const error = stderr.indexOf('Error: ');
  const warnings = stderr
    .slice(0, error < 0 ? undefined : error)
    .split('\n')
    .filter((line) => line !== '');
  if (code === 0) return { output: stdout, warnings: warnings.sort() };
  expect(stdout).toBe('');
  return { output: stderr.slice(error), warnings: warnings.sort() };
}

function golden(place: string, name: string): string {
  return existsSync(join(place, name)) ? readFileSync(join(place, name), 'utf8') : `no file ${name}`;
}

/** The findings of a schema come in no fixed order from Helm. */
function normalize(text: string, golden: string): string {
  if (!golden.endsWith('.err') || !text.includes('meet the specifications')) return text;
  return text.split('\n').sort().join('\n');
}

function withoutBlankLines(text: string): string {
  return text.replace(/\s+(?=\n---|$)/g, '').replace(/\s+$/, '');
}
