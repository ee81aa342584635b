// Charts rendered in worker threads: what comes back for a release, lookups, warnings, errors.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { HelmError } from '../../../src/engines/helm/errors.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { writeTar } from '../../../src/lib/tar.ts';
import type { RenderReport } from '../../../src/offload/render/report.ts';
import { createRenderer } from '../../../src/offload/renderer.ts';
import { FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import { temporaryFolder } from '../../support/git.ts';

const { dir, remove } = temporaryFolder('releases');
const reports: RenderReport[] = [];
const renderer = createRenderer({ threads: 1, onRender: (report) => reports.push(report) });
afterAll(async () => {
  await renderer.close();
  remove();
});

/** An archive of a chart named `c`. */
function archive(files: Readonly<Record<string, string>>): Uint8Array {
  const all = { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.2.3\n', ...files };
  const entries = Object.entries(all).map(([name, text]) => ({
    name: `c/${name}`,
    kind: 'file' as const,
    mode: 0o644,
    data: Buffer.from(text),
  }));
  return gzipSync(writeTar(entries));
}

const release = { name: 'rel', namespace: 'web' };
const options = { signal: new AbortController().signal, timeoutMs: FAR_LIMIT_MS };
const request = (files: Readonly<Record<string, string>>, values: JsonObject = {}) => ({
  chart: { bytes: archive(files) },
  values,
  release,
});
const configMap = (name: string, data: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${data}\n`;

describe('charts', () => {
  it('come back as all that a release is made of', async () => {
    const files = {
      'values.yaml': 'color: red\n',
      'templates/a.yaml': configMap('{{ .Release.Name }}', '{{ .Values.color }}'),
      'templates/hook.yaml': configMap('h', 'b').replace(
        'name: h',
        'name: h\n  annotations: {helm.sh/hook: pre-install}',
      ),
      'templates/NOTES.txt': 'Hello {{ .Release.Namespace }}.',
      'crds/w.yaml': 'kind: CustomResourceDefinition\n',
      'README.md': 'ü',
    };

    const rendered = await renderer.renderChart(request(files, { color: 'blue' }), options);

    const base64 = (text: string) => Buffer.from(text).toString('base64');
    expect(rendered.manifest).toBe(`---\n# Source: c/templates/a.yaml\n${configMap('rel', 'blue')}\n`);
    expect(rendered.manifests.map(({ kind, name, value }) => [kind, name, value])).toEqual([
      ['ConfigMap', 'rel', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rel' }, data: { a: 'blue' } }],
    ]);
    expect(rendered.hooks.map(({ name, events }) => [name, events])).toEqual([['h', ['pre-install']]]);
    expect(rendered.notes).toBe('Hello web.');
    expect(rendered.crds).toEqual([{ path: 'c/crds/w.yaml', text: 'kind: CustomResourceDefinition\n' }]);
    expect(rendered.chart).toEqual({
      metadata: { name: 'c', version: '1.2.3', apiVersion: 'v2' },
      lock: null,
      templates: expect.arrayContaining([{ name: 'templates/NOTES.txt', data: base64(files['templates/NOTES.txt']) }]),
      values: { color: 'red' },
      schema: null,
      files: expect.arrayContaining([{ name: 'README.md', data: base64('ü') }]),
    });
    expect(reports.splice(0)).toEqual([{ engine: 'helm', place: 'worker', outcome: 'done' }]);
  });

  it('are read from disk as well, and post-rendered where Helm does it', async () => {
    const path = join(dir, 'c.tgz');
    writeFileSync(path, archive({ 'templates/a.yaml': configMap('a', 'b') }));
    const postRender = { renderers: [], originLabels: { 'helm.toolkit.fluxcd.io/name': 'app' } };

    const rendered = await renderer.renderChart(
      { ...request({}), chart: { path, digest: 'sha256:1' }, postRender },
      options,
    );

    expect(rendered.manifests[0]!.value).toMatchObject({ metadata: { labels: postRender.originLabels } });
  });

  it('look up one object after the other', async () => {
    const text =
      '{{ $first := lookup "v1" "Secret" "web" "one" }}{{ $next := lookup "v1" "Secret" "web" ($first.data.next | default "none") }}';
    const files = { 'templates/a.yaml': `${text}${configMap('a', '{{ $next.data.value }}')}` };
    const asked: string[] = [];
    const lookup = async ({ name }: { name: string }): Promise<JsonObject> => {
      asked.push(name);
      const found: Record<string, JsonObject> = { one: { data: { next: 'two' } }, two: { data: { value: 'found' } } };
      return found[name] ?? {};
    };

    const online = await renderer.renderChart(request(files), { ...options, lookup });
    const offline = await renderer.renderChart(
      request({ 'templates/a.yaml': configMap('a', '{{ lookup "v1" "Secret" "" "" | len }}') }),
      options,
    );

    expect(asked).toEqual(['one', 'two']);
    expect(online.manifest).toContain('a: found');
    expect(offline.manifest).toContain('a: 0');
  });

  it('give warnings, each once', async () => {
    const warnings: string[] = [];
    const hook = configMap('h', 'b').replace('name: h', 'name: h\n  annotations: {helm.sh/hook: nonsense}');

    await renderer.renderChart(request({ 'templates/a.yaml': hook, 'templates/b.yaml': hook }), {
      ...options,
      warn: (text) => warnings.push(text),
    });

    expect(warnings).toEqual(['info: skipping unknown hook: "nonsense"']);
  });

  it('fail with the error of the engine', async () => {
    const failing = renderer.renderChart(
      request({ 'templates/a.yaml': '{{ required "color is needed" .Values.color }}' }),
      options,
    );

    const error = await failing.catch((caught: unknown) => caught);

    expect(error).toBeInstanceOf(HelmError);
    expect(error).toMatchObject({ code: 'TemplateFailed', message: expect.stringContaining('color is needed') });
  });

  it('do not wait for one that takes long', async () => {
    const both = createRenderer({ threads: 2 });
    const files = { 'templates/a.yaml': configMap('a', 'b') };
    const first = await both.renderChart(request(files), options);
    // A thread that reads a pipe stands still until somebody writes.
    const path = join(dir, 'pipe');
    execFileSync('mkfifo', [path]);
    const standing = both.renderChart({ chart: { path, digest: 'sha256:pipe' }, values: {}, release }, options);

    const other = await both.renderChart(request(files), options);
    await writeFile(path, archive(files));

    expect([other, await standing]).toEqual([first, first]);
    await both.close();
  });

  it('are cut when their time is over', async () => {
    const long = '{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}';
    const error = await renderer
      .renderChart(request({ 'templates/a.yaml': long }), { ...options, timeoutMs: 1 })
      .catch((caught: unknown) => caught);

    expect(error).toMatchObject({
      code: 'RenderCut',
      message: 'chart rendering failed: not finished after 1ms: raise spec.timeout or split it up',
    });
  });

  it.each([
    ['a thousand and one includes inside each other', 1000, undefined],
    [
      'one more',
      1001,
      'error calling include: rendering template has a nested reference name: f: unable to execute template',
    ],
  ])('may nest %s', async (_name, depth, message) => {
    const helper = '{{- define "f" }}{{ if gt (int .) 0 }}{{ include "f" (sub . 1) }}{{ else }}done{{ end }}{{ end }}';
    const files = { 'templates/_h.tpl': helper, 'templates/a.yaml': configMap('a', `{{ include "f" ${depth} }}`) };

    const outcome = await renderer.renderChart(request(files), options).then(
      ({ manifest }) => manifest,
      (error: Error) => error.message,
    );

    expect(outcome).toContain(message ?? 'a: done');
  });
});
