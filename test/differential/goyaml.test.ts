import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answer, normalise } from './goyaml/answer.ts';
import { generateJson, generateText, Random } from './goyaml/generate.ts';
import { type Op, type OracleRequest, useOracle } from './goyaml/oracle.ts';

const corpus = resolve(process.env['LOCKSTEP_CORPUS'] ?? '../shared/corpus');
const hasCorpus = existsSync(corpus);
const seeds = Number(process.env['GOYAML_SEEDS'] ?? 4000);
const firstSeed = Number(process.env['GOYAML_SEED'] ?? 1);
const batch = 1000;

const ask = useOracle();

/** All ways to read and write one text. */
function requestsFor(text: string): OracleRequest[] {
  const reading: Op[] = ['tree', 'value', 'json', 'strict', 'stream'];
  return [
    ...reading.map((op) => ({ op, text })),
    { op: 'emit', text, indent: 2, wide: false },
    { op: 'emit', text, indent: 2, wide: true },
    { op: 'emit', text, indent: 4, wide: true },
  ];
}

/** Asks both sides; what differs, readable. */
function differences(requests: readonly OracleRequest[]): unknown[] {
  const theirs = ask(requests);
  const found: unknown[] = [];
  requests.forEach((request, i) => {
    const want = normalise(request, theirs[i]!);
    const got = normalise(request, answer(request));
    if (got !== want) found.push({ request, want, got });
  });
  return found.slice(0, 3);
}

function readCorpus(): { name: string; text: string }[] {
  const found: { name: string; text: string }[] = [];
  for (const file of readdirSync(join(corpus, 'kustomize')).filter((name) => name.endsWith('.json'))) {
    const data = JSON.parse(readFileSync(join(corpus, 'kustomize', file), 'utf8')) as {
      files?: Record<string, unknown>;
    };
    for (const [path, text] of Object.entries(data.files ?? {})) {
      if (typeof text === 'string') found.push({ name: `${file} ${path}`, text });
    }
  }
  for (const file of readdirSync(join(corpus, 'helm'), { recursive: true, encoding: 'utf8' })) {
    if (/\.(?:ya?ml|json)$/.test(file))
      found.push({ name: file, text: readFileSync(join(corpus, 'helm', file), 'utf8') });
  }
  return found;
}

describe('against Go', () => {
  it.skipIf(!hasCorpus && process.env['CI'] !== 'true')('reads and writes every file of the corpus as Go does', () => {
    const files = readCorpus();

    expect(files.length).toBeGreaterThan(2000);
    for (let i = 0; i < files.length; i += batch) {
      expect(differences(files.slice(i, i + batch).flatMap(({ text }) => requestsFor(text)))).toEqual([]);
    }
  });

  it(`reads and writes ${seeds} random texts as Go does`, () => {
    const real = hasCorpus
      ? readCorpus()
          .map((file) => file.text)
          .filter((text) => text.length < 4000)
      : [];
    const random = new Random(firstSeed);

    for (let i = 0; i < seeds; i += batch) {
      const texts = Array.from({ length: batch }, () => generateText(random, real));
      expect(differences(texts.flatMap(requestsFor))).toEqual([]);
    }
  });

  it(`writes ${seeds} random values as sigs.k8s.io/yaml and yaml.v3 do`, () => {
    const random = new Random(firstSeed);

    for (let i = 0; i < seeds; i += batch) {
      const values = Array.from({ length: batch }, () => generateJson(random));
      const requests = values.flatMap((text): OracleRequest[] => [
        { op: 'yaml', text },
        { op: 'marshal', text },
      ]);
      expect(differences(requests)).toEqual([]);
    }
  });

  it('gives up where Go gives up', () => {
    const nine = (alias: string) => `[${Array(9).fill(`*${alias}`).join(', ')}]`;
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...[...'bcdefghi'].map((c, i) => `${c}: &${c} ${nine('abcdefgh'[i]!)}`),
    ];
    const texts = [
      bomb.join('\n'),
      'a: &a [*a]\n',
      '['.repeat(10_001),
      `${'- '.repeat(10_001)}a`,
      `"${'k'.repeat(1023)}": 1\n`,
      `x: {"${'😀'.repeat(600)}": 1}\n`,
      `${'a: b\n'.repeat(200)}c: "\u0001"\n`,
      `${'a: b\n'.repeat(200)}- c\n${'d: e\n'.repeat(200)}f: "\u0001"\n`,
    ];

    expect(differences(texts.flatMap(requestsFor))).toEqual([]);
  });
});
