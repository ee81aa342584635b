// values.schema.json: each schema with values that it refuses, against the error text that Helm printed.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { archiveReader } from '../../src/engines/helm/archive.ts';
import { createChart } from '../../src/engines/helm/chart.ts';
import { validateSchemas } from '../../src/engines/helm/schema.ts';
import { errorMessage } from '../../src/lib/errors.ts';

interface Case {
  readonly schema: unknown;
  readonly values: unknown;
  readonly error: string;
}

const cases = JSON.parse(readFileSync('test/cases/helm-schema/cases.json', 'utf8')) as Case[];

describe('values.schema.json', () => {
  it.each(cases.map((each) => [JSON.stringify(each.schema), each] as const))(
    '%s',
    (_name, { schema, values, error }) => {
      const found = `${judge(schema, values)}\n`;

      // Helm reports the findings of one level in no fixed order.
      expect(sorted(found)).toBe(sorted(error === '' ? '\n' : error));
    },
  );

  it('is not kept from judging by keys that objects inherit', () => {
    const schema = {
      properties: { constructor: { type: 'string' }, toString: { type: 'string' } },
      required: ['valueOf'],
    };

    expect(judge(schema, { constructor: 1 })).toContain(
      "- at '': missing property 'valueOf'\n- at '/constructor': got number, want string",
    );
  });

  it.each([
    'http://127.0.0.1:1/x.json',
    'https://example.test/x.json',
    'file:///etc/passwd',
    'file:///dev/zero',
    '../x.json',
  ])('reads nothing at %s', (url) => {
    expect(judge({ properties: { a: { $ref: url } } }, { a: 1 })).toContain(
      `failing loading "${url}": schemas outside the chart are not read`,
    );
  });

  it('lets a reference to a URN pass with a warning', () => {
    const warnings: string[] = [];

    expect(judge({ properties: { a: { $ref: 'urn:x:y' } } }, { a: 1 }, warnings)).toBe('');
    expect(warnings).toEqual(['WARNING: unresolved URN reference ignored; using permissive schema: urn:x:y']);
  });
});

function judge(schema: unknown, values: unknown, warnings: string[] = []): string {
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
    'values.yaml': JSON.stringify(values),
    'values.schema.json': JSON.stringify(schema),
  };
  const list = Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text) }));
  const chart = createChart(list, archiveReader());
  try {
    validateSchemas(chart, chart.values, { cache: new WeakMap(), warn: (text) => warnings.push(text) });
    return '';
  } catch (error) {
    return errorMessage(error);
  }
}

function sorted(text: string): string {
  return text.split('\n').sort().join('\n');
}
