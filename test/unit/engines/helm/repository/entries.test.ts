// Indexes in every form that repositories write, and wrong ones; what is kept of them is what Helm keeps.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readIndex } from '../../../../../src/engines/helm/repository/entries.ts';
import { splitYamlIndex } from '../../../../../src/engines/helm/repository/split-yaml.ts';
import { toYaml } from '../../../../../src/lib/goyaml/sigs.ts';

/** `chart: [versions]` of what was read. */
function read(text: string): Record<string, string[]> {
  const versionOf = (entry: string) => (JSON.parse(entry) as { version: string }).version;
  return Object.fromEntries(readIndex(Buffer.from(text)).map(({ name, versions }) => [name, versions.map(versionOf)]));
}

const block = `apiVersion: v1
entries:
  # a comment
  beta:
  - apiVersion: v2
    description: 'a text
      over two lines'
    name: beta
    notes: |
      - no: item
    version: 0.1.0

  "alpha":
    - apiVersion: v2
      name: alpha
      version: 1.0.0
    - name: alpha
      version: 1.10.0
    - {apiVersion: v2, name: alpha, version: 1.2.0}
  empty: # nothing yet
generated: "2024-01-01T00:00:00Z"
`;

describe('readIndex', () => {
  it('reads block style piece by piece, charts by name, versions newest first', () => {
    const pieces = [...splitYamlIndex(Buffer.from(block))!.items];

    expect(new Set(pieces.map(({ chart }) => chart))).toEqual(new Set(['beta', 'alpha', 'empty']));
    expect(read(block)).toEqual({ alpha: ['1.10.0', '1.2.0', '1.0.0'], beta: ['0.1.0'], empty: [] });
  });

  it('reads JSON', () => {
    const entries = { b: [{ name: 'b', version: '1.0.0', urls: ['a "quoted\\" }'] }], a: [] };

    expect(read(JSON.stringify({ entries, apiVersion: 'v1' }))).toEqual({ a: [], b: ['1.0.0'] });
    expect(read(JSON.stringify({ entries, apiVersion: 'v1' }, null, 2))).toEqual({ a: [], b: ['1.0.0'] });
  });

  it.each([
    ['flow style', 'apiVersion: v1\nentries: {a: [{name: a, version: 1.0.0}]}\n'],
    ['anchors', 'apiVersion: v1\nentries:\n  a:\n  - &one\n    name: a\n    version: 1.0.0\n  b:\n  - *one\n'],
    ['chart names that need a full parse', 'apiVersion: v1\nentries:\n  ? a\n  :\n  - name: a\n    version: 1.0.0\n'],
  ])('reads %s by parsing the whole', (_name, text) => {
    expect(read(text)['a']).toEqual(['1.0.0']);
  });

  it('leaves out what is not valid, as Helm does', () => {
    const versions = [
      null,
      {},
      { name: 'a', version: 'one' },
      { name: '../a', version: '1.0.0' },
      { name: '..', version: '1.0.0' },
      { name: 'a', version: '1.0.0', type: 'other' },
      { name: 'a', version: '2.0.0', maintainers: [null] },
      { name: 'a', version: '3.0.0', dependencies: [{ name: 'x' }, { name: 'x' }] },
    ];

    expect(read(JSON.stringify({ apiVersion: 'v1', entries: { a: versions, none: null } }))).toEqual({
      a: ['3.0.0'],
      none: [],
    });
  });

  it('keeps the keys of prototypes apart', () => {
    const text = '{"apiVersion":"v1","entries":{"__proto__":[{"name":"a","version":"1.0.0"}],"constructor":[]}}';

    expect(readIndex(Buffer.from(text)).map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
  });

  it.each([
    ['', 'empty index.yaml file'],
    ['entries: {}\n', 'no API version specified'],
    ['{"entries": {}}', 'no API version specified'],
    ['- a\n', 'index is no YAML mapping'],
    ['apiVersion: v1\nentries: text\n', 'the entries of the index are no mapping'],
    ['apiVersion: v1\nentries:\n  a: text\n', "the versions of chart 'a' are no list"],
    ['apiVersion: v1\nentries:\n  a:\n  - text\n', "chart 'a' has a version that is no mapping"],
    [
      'apiVersion: v1\nentries:\n  a:\n  - name: [a]\n    version: 1.0.0\n',
      'cannot unmarshal array into Go struct field Metadata.name of type string',
    ],
    ['apiVersion: v1\nentries:\n  a:\n  - name: a\n    name: b\n', 'already set in map'],
    ['apiVersion: v1\nentries:\n  a:\n  - name: "a\n', 'yaml: '],
    ['{"apiVersion": "v1", "entries": []}', 'they are no object'],
    ['{"apiVersion": "v1", "entries": {"a": "text"}}', "the versions of chart 'a' are no list"],
    ['{"apiVersion": "v1", "entries": {"a": [', 'unexpected end of JSON input'],
    ['{"apiVersion": "v1" "entries": {}}', 'invalid JSON at byte 20'],
    ['{"apiVersion": "v1", "entries": {"a": [{]}}', 'JSON'],
  ])('refuses %j', (text, message) => {
    expect(() => readIndex(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'IndexInvalid', message: expect.stringContaining(message) }),
    );
  });

  it('reads the same from YAML, piece by piece or whole, and from JSON', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 });
    const version = fc.record({
      name: fc.constant('app'),
      version: fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)).map((parts) => parts.join('.')),
      description: text,
      annotations: fc.dictionary(text, text, { maxKeys: 3 }),
      urls: fc.array(text, { maxLength: 3 }),
    });
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/);
    const entries = fc.dictionary(name, fc.array(version, { maxLength: 4 }), { maxKeys: 5 });
    fc.assert(
      fc.property(entries, (charts) => {
        const index = { apiVersion: 'v1', entries: charts };

        const fromJson = readIndex(Buffer.from(JSON.stringify(index)));

        // The keys of a mapping are sorted in YAML; what they stand for is the same.
        const values = (charts: ReturnType<typeof readIndex>) =>
          charts.map(({ name, versions }) => [name, versions.map((entry) => JSON.parse(entry) as unknown)]);
        expect(values(readIndex(Buffer.from(toYaml(index as never))))).toEqual(values(fromJson));
      }),
      { numRuns: 150 },
    );
  });

  it('refuses a large index that can only be parsed whole', () => {
    const text = `apiVersion: v1\nentries: {a: []}\n${'# nothing\n'.repeat(900_000)}`;

    expect(() => readIndex(Buffer.from(text))).toThrow('must be JSON, or YAML in block style');
  });
});
