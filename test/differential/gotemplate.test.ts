// Compares templates with Go's own: seeded random templates are run here and by a small Go program (text/template and
// sprig at the versions of Helm 3.22), and every text and every error must be the same byte for byte.
import { describe, expect, it } from 'vitest';
import { toBytes } from '../../src/lang/gotemplate/gostring.ts';
import { sprigFunctions } from '../../src/lang/gotemplate/sprig/functions.ts';
import { createExecution, createTemplateCache, createTemplateSet } from '../../src/lang/gotemplate/template.ts';
import { fromJson } from '../../src/lang/gotemplate/value-json.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import { type AskGo, describeAnswer, hasGo, type TextAnswer, useGoOracle } from '../support/go-oracle.ts';
import { testHost } from '../support/template-host.ts';
import { DATA, generateTemplate } from './gotemplate/generate.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 10_000);
const BATCH = 1000;

describe.skipIf(!hasGo)('random templates against Go (skipped only where there is no go command)', () => {
  const ask = useGoOracle('gotemplate/oracle');
  const cache = createTemplateCache(sprigFunctions(), { maxText: 1024 * 1024 });

  it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => batch * BATCH))(
    'seeds from %i on',
    (first) => {
      const templates = Array.from({ length: BATCH }, (_, index) => generateTemplate(first + index));

      const wanted = runOracle(ask, templates);

      const differing = templates.flatMap((template, index) => {
        const got = render(template);
        return got === wanted[index] ? [] : [{ seed: first + index, template, got, want: wanted[index] }];
      });
      expect(differing).toEqual([]);
    },
  );

  function render(template: string): string {
    const set = createTemplateSet(cache);
    try {
      set.parse('t.yaml', template);
      const execution = createExecution(set, { host: testHost(), context: undefined });
      return `text ${latin1(set.execute('t.yaml', fromJson(DATA), execution))}`;
    } catch (error) {
      return `error ${latin1(errorMessage(error))}`;
    }
  }
});

/** Bytes one by one as characters, so that any two byte strings compare. */
function latin1(text: string): string {
  return Buffer.from(toBytes(text)).toString('latin1');
}

function runOracle(ask: AskGo, templates: readonly string[]): string[] {
  const input = templates.map((template) => ({ name: 't.yaml', template, data: DATA }));
  return (JSON.parse(ask(JSON.stringify(input))) as TextAnswer[]).map(describeAnswer);
}
