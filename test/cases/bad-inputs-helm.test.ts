// Every bad chart and flag for the Helm engine, in a child process with little memory and little time: a clear error or a
// bounded result, never a crash. Each case names the row of the threat list that it stands for.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTar } from '../../src/lib/tar.ts';
import { loadYaml } from '../../src/lib/yaml.ts';
import { runBadInput } from '../support/bad-input.ts';

interface BadChart {
  readonly row: string;
  readonly what: string;
  /** Arguments after the release's name. @default the folder `chart` */
  readonly args?: readonly string[];
  /** What is too large or too odd to be kept: the name of what makes it. */
  readonly generate?: string;
  /** What must be in the error. */
  readonly error?: string;
  /** What must be in the output, where the input is harmless. */
  readonly text?: string;
}

const BOUNDS = { cpuMs: 2000, rssMib: 300 };

const CHART = 'apiVersion: v2\nname: c\nversion: 1.0.0\n';
const TEMPLATE = 'kind: M\nx: {{ .Files.Get "link" | quote }}\n';

function tgz(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const entries = Object.entries(files).map(([name, data]) => ({
    name,
    kind: 'file' as const,
    mode: 0o644,
    data: Buffer.from(data),
  }));
  return gzipSync(writeTar(entries));
}

/** An archive whose file `c/link` says that it is a symbolic link. */
function linkArchive(): Uint8Array {
  const bytes = Buffer.from(writeTar([{ name: 'c/link', kind: 'file', mode: 0o644 }]));
  bytes.write('2/etc/passwd', 156);
  bytes.write('        ', 148);
  let sum = 0;
  for (const byte of bytes.subarray(0, 512)) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const rest = writeTar([
    { name: 'c/Chart.yaml', kind: 'file', mode: 0o644, data: Buffer.from(CHART) },
    { name: 'c/templates/a.yaml', kind: 'file', mode: 0o644, data: Buffer.from(TEMPLATE) },
  ]);
  return gzipSync(Buffer.concat([bytes.subarray(0, 512), rest]));
}

const zeros = (mebibytes: number) => Buffer.alloc(mebibytes * 1024 * 1024 - 1);
const range = (length: number) => Array.from({ length }, (_, index) => index);
const chain = (text: (level: number) => string, levels: number) =>
  `{${range(levels)
    .map((level) => `"d${level}":${text(level)}`)
    .join(',')},"d${levels}":{"type":"string"}}`;

/** Files by path, or flags, that a case cannot keep. */
const makers: Readonly<Record<string, () => { files?: Record<string, string | Uint8Array>; flags?: string[] }>> = {
  'archive-parent': () => ({ files: { 'chart.tgz': tgz({ 'c/Chart.yaml': CHART, 'c/../../evil': 'x' }) } }),
  'archive-absolute': () => ({ files: { 'chart.tgz': tgz({ 'c/Chart.yaml': CHART, 'c//etc/evil': 'x' }) } }),
  'archive-backslash': () => ({ files: { 'chart.tgz': tgz({ 'c/Chart.yaml': CHART, 'c\\..\\..\\evil': 'x' }) } }),
  'archive-bomb': () => {
    // The parts of a gzip stream may be joined: one of five mebibytes is made, not a gibibyte.
    const big = tgz({ 'c/f': zeros(5) });
    return { files: { 'chart.tgz': Buffer.concat([tgz({ 'c/Chart.yaml': CHART }), ...range(205).map(() => big)]) } };
  },
  'archive-nested-bomb': () => {
    const big = Object.fromEntries(range(15).map((index) => [`s/f${index}`, zeros(5)]));
    const inner = tgz({ 's/Chart.yaml': CHART.replace('name: c', 'name: s'), ...big });
    return { files: { 'chart.tgz': tgz({ 'c/Chart.yaml': CHART, 'c/charts/a.tgz': inner, 'c/charts/b.tgz': inner }) } };
  },
  'archive-link': () => ({ files: { 'chart.tgz': linkArchive() } }),
  'archive-many': () => ({
    files: { 'chart.tgz': tgz(Object.fromEntries(range(30_000).map((index) => [`c/f${index}`, '']))) },
  }),
  'set-many': () => ({
    flags: [
      '--set',
      range(400)
        .map((index) => `a${index}[65536]=1`)
        .join(','),
    ],
  }),
  'set-deep': () => ({ flags: ['--set', `a${'[0]'.repeat(30_000)}=1`] }),
  'alias-bomb': () => {
    const lines = range(9).map(
      (level) =>
        `a${level + 1}: &a${level + 1} [${range(10)
          .map(() => `*a${level}`)
          .join(', ')}]`,
    );
    return { files: { 'chart/values.yaml': `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${lines.join('\n')}\n` } };
  },
  'deep-values': () => ({ files: { 'chart/values.yaml': `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n` } }),
  'schema-deep': () => ({
    files: {
      'chart/values.schema.json': `{"$defs":${chain((level) => `{"$ref":"#/$defs/d${level + 1}"}`, 10_000)},"$ref":"#/$defs/d0"}`,
    },
  }),
  'schema-fan-out': () => {
    const both = (level: number) => `{"allOf":[{"$ref":"#/$defs/d${level + 1}"},{"$ref":"#/$defs/d${level + 1}"}]}`;
    return {
      files: { 'chart/values.schema.json': `{"$defs":${chain(both, 40)},"properties":{"a":{"$ref":"#/$defs/d0"}}}` },
    };
  },
  'subchart-nesting': () => {
    const files = Object.fromEntries(
      range(100).map((level) => [`chart/${'charts/s/'.repeat(level)}Chart.yaml`, CHART]),
    );
    return { files };
  },
};

const folder = join(import.meta.dirname, 'bad-inputs');
const cases = readdirSync(folder).filter((name) => name.startsWith('helm-'));
const temporary = mkdtempSync(join(tmpdir(), 'lockstep-bad-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe('bad inputs for helm', () => {
  it.each(cases)('%s', (name) => {
    const {
      args = ['chart'],
      generate,
      error,
      text,
    } = loadYaml(readFileSync(join(folder, name, 'case.yaml'), 'utf8')) as unknown as BadChart;
    const place = join(temporary, name);
    mkdirSync(place);
    if (existsSync(join(folder, name, 'input')))
      cpSync(join(folder, name, 'input'), place, { recursive: true, verbatimSymlinks: true });
    const made = generate === undefined ? {} : makers[generate]!();
    for (const [path, data] of Object.entries(made.files ?? {})) {
      mkdirSync(dirname(join(place, path)), { recursive: true });
      writeFileSync(join(place, path), data);
    }

    const outcome = runBadInput<{ code: number; stdout: string; stderr: string }>(
      'bad-chart-child.ts',
      ['rel', ...args, ...(made.flags ?? [])],
      BOUNDS,
      place,
    );

    expect({ code: outcome.code, found: error === undefined ? outcome.stdout : outcome.stderr }).toEqual({
      code: error === undefined ? 0 : 1,
      found: expect.stringContaining(error ?? text ?? ''),
    });
    expect(outcome.stderr.length).toBeLessThan(5000);
  });
});
