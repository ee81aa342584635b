// Every bad template, in a child process with little memory and little time: an error that names file and line, or a
// bounded result, never a crash. Each case names the row of the threat list that it stands for.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadYaml } from '../../src/lib/yaml.ts';

interface BadTemplate {
  readonly row: string;
  readonly what: string;
  /** What must be in the error. */
  readonly error?: string;
  /** What the template renders to, where it is harmless. */
  readonly text?: string;
}

const MEMORY_MIB = 256;
/** Starting Node and loading the engine is most of it; a render that hangs is what this ends. */
const TIME_MS = 20_000;

const folder = join(import.meta.dirname, 'bad-inputs');
const cases = readdirSync(folder).filter((name) => name.startsWith('template-'));

describe('bad templates', () => {
  it.each(cases)('%s', (name) => {
    const { error, text } = loadYaml(readFileSync(join(folder, name, 'case.yaml'), 'utf8')) as unknown as BadTemplate;

    const outcome = renderInChild(join(folder, name, 'input'));

    if (error === undefined) expect(outcome).toEqual({ text });
    else {
      expect(outcome.error).toContain(error);
      expect(outcome.error).toMatch(/c\/templates\/t\.yaml:\d+/);
    }
  });
});

function renderInChild(input: string): { readonly text?: string; readonly error?: string } {
  const script = join(import.meta.dirname, '../support/bad-template-child.ts');
  const run = spawnSync(process.execPath, [`--max-old-space-size=${MEMORY_MIB}`, script, input], {
    encoding: 'utf8',
    timeout: TIME_MS,
    maxBuffer: 1 << 28,
  });
  expect({ status: run.status, signal: run.signal, stderr: run.stderr }).toEqual({
    status: 0,
    signal: null,
    stderr: '',
  });
  return JSON.parse(run.stdout);
}
