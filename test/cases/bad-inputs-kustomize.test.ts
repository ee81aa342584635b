// Every bad input for the kustomize engine, in a child process with little memory and little time: a clear error or a
// bounded result, never a crash. Each case names the row of the threat list that it stands for.
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { loadYaml } from '../../src/lib/yaml.ts';
import { runBadInput } from '../support/bad-input.ts';
import { inTemporaryFolder } from '../support/kustomize-binary.ts';

interface BadInput {
  readonly row: string;
  readonly what: string;
  readonly target?: string;
  /** A file too large or too odd to be kept: the name of what makes it. */
  readonly generate?: keyof typeof makers;
  /** What must be in the error text, or in the output. */
  readonly error?: string;
  readonly yaml?: string;
  readonly missing?: readonly string[];
}

const BOUNDS = { cpuMs: 1000, rssMib: 300 };

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n';
const WIDGET = 'apiVersion: v1\nkind: Widget\nmetadata:\n  name: w\n';

/** Ten lists of ten aliases each to the list before: ten thousand million texts. */
function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 10; i++)
    lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(', ')}]`);
  return `${lines.join('\n')}\n`;
}

function deployment(names: readonly string[], value: string): string {
  const env = names.map((name) => `        - {name: ${name}, value: "${value}"}\n`).join('');
  return (
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  template:\n    spec:\n' +
    `      containers:\n      - name: main\n        env:\n${env}`
  );
}

const names = (length: number): readonly string[] => Array.from({ length }, (_, i) => `N${i}`);

const makers = {
  'alias-bomb': () => [['bomb.yaml', `${WIDGET}${bomb()}`]],
  'alias-bomb-in-kustomization': () => [['kustomization.yaml', `${bomb()}resources: []\n`]],
  'deep-flow': () => [['deep.yaml', `${WIDGET}deep: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`]],
  'deep-block': () => [
    [
      'deep.yaml',
      `${WIDGET}deep:\n${names(5000)
        .map((_name, i) => `${' '.repeat(i + 1)}a:\n`)
        .join('')}`,
    ],
  ],
  'giant-scalar': () => [['big.txt', 'x'.repeat(100 * 1024 * 1024)]],
  'many-documents': () => [['many.yaml', `${'---\n\n'.repeat(200_000)}---\n${CONFIG_MAP}`]],
  'long-list': () => [
    ['d.yaml', deployment(names(5000), 'old')],
    ['p.yaml', deployment([...names(5000)].reverse(), 'new')],
  ],
} satisfies Record<string, () => (readonly [path: string, text: string] | string[])[]>;

const folder = join(import.meta.dirname, 'bad-inputs');
const cases = readdirSync(folder).filter((name) => name.startsWith('kustomize-'));

describe('bad inputs for kustomize', () => {
  it.each(cases)('%s', (name) => {
    const kase = loadYaml(readFileSync(join(folder, name, 'case.yaml'), 'utf8')) as unknown as BadInput;

    const outcome = inTemporaryFolder((place) => {
      const input = join(folder, name, 'input');
      // A case whose files are all generated has no folder: Git keeps no empty ones.
      if (existsSync(input)) cpSync(input, place, { recursive: true, verbatimSymlinks: true });
      if (kase.generate !== undefined) {
        for (const [path, text] of makers[kase.generate]()) writeFileSync(join(place, path!), text!);
      }
      return runBadInput<JsonObject>('bad-input-child.ts', [place, kase.target ?? ''], BOUNDS);
    });

    if (kase.error !== undefined) expect(outcome['error']).toContain(kase.error);
    if (kase.yaml !== undefined) expect(outcome['yaml']).toContain(kase.yaml);
    if (kase.missing !== undefined) expect(outcome['missing']).toEqual(kase.missing);
    expect(String(outcome['error'] ?? '').length).toBeLessThan(5000);
  });
});
