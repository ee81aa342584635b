// Every bad template, in a child process with little memory and little time: an error that names file and line, or a
// bounded result, never a crash. Each case names the row of the threat list that it stands for.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadYaml } from '../../src/lib/yaml.ts';
import { runBadInput } from '../support/bad-input.ts';

interface BadTemplate {
  readonly row: string;
  readonly what: string;
  /** What must be in the error. */
  readonly error?: string;
  /** What the template renders to, where it is harmless. */
  readonly text?: string;
}

/** Issue: an error within 2 s and 300 MiB. */
const BOUNDS = { cpuMs: 2000, rssMib: 300 };

const folder = join(import.meta.dirname, 'bad-inputs');
const cases = readdirSync(folder).filter((name) => name.startsWith('template-'));

describe('bad templates', () => {
  it.each(cases)('%s', (name) => {
    const { error, text } = loadYaml(readFileSync(join(folder, name, 'case.yaml'), 'utf8')) as unknown as BadTemplate;

    const outcome = runBadInput<{ text?: string; error?: string }>(
      'bad-template-child.ts',
      [join(folder, name, 'input')],
      BOUNDS,
    );

    if (error === undefined) expect(outcome).toEqual({ text });
    else {
      expect(outcome.error).toContain(error);
      expect(outcome.error).toMatch(/c\/templates\/t\.yaml:\d+/);
    }
  });
});
