// Builds in worker threads beside the same builds on the event loop: the same objects, records and errors.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Kustomization } from '../../../src/api/kustomize/kustomization.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { createMemoryTree } from '../../../src/lib/memory-tree.ts';
import { writeTar } from '../../../src/lib/tar.ts';
import type { RenderReport } from '../../../src/offload/render/report.ts';
import { createRenderer, type Renderer } from '../../../src/offload/renderer.ts';
import { configMapYaml, deploymentYaml, kustomization } from '../../support/build.ts';
import { FAR_LIMIT_MS } from '../../support/fast-clock.ts';
import { temporaryFolder } from '../../support/git.ts';

const { dir, remove } = temporaryFolder('renderer');
const reports: RenderReport[] = [];
const renderers: Renderer[] = [];
afterEach(() => reports.splice(0));
afterAll(async () => {
  await Promise.all(renderers.map((renderer) => renderer.close()));
  remove();
});

function start(options: { readonly heapMb?: number } = {}): Renderer {
  const renderer = createRenderer({ threads: 1, onRender: (report) => reports.push(report), ...options });
  renderers.push(renderer);
  return renderer;
}

type Files = Readonly<Record<string, string>>;
let archives = 0;

/** A build of some files; `large` adds what is too much for the event loop. */
function request(files: Files, spec: JsonObject = {}, { large = true, inputs = {} as JsonObject } = {}) {
  const all: Files = large ? { ...files, 'padding.txt': '', 'z.yaml': padding } : files;
  const path = join(dir, `${archives++}.tar.gz`);
  const entries = Object.entries(all).map(([name, text]) => ({
    name,
    kind: 'file' as const,
    mode: 0o644,
    data: Buffer.from(text),
  }));
  writeFileSync(path, gzipSync(writeTar(entries)));
  return {
    key: `default/${path}`,
    source: { from: 'archive', path } as const,
    tree: createMemoryTree(all),
    object: kustomization(
      'app',
      'source',
      { path: './', ...spec },
      { namespace: 'default' },
    ) as unknown as Kustomization,
    inputs: new Map(Object.entries(inputs)) as Map<string, JsonObject>,
    settings: { strict: true, ageSecret: undefined },
  };
}

const padding = configMapYaml('padding', { text: 'x'.repeat(60_000) });
const app: Files = {
  'a.yaml': deploymentYaml('web', 'nginx:1'),
  'b.yaml': configMapYaml('settings', { level: '${LEVEL}' }),
};
const never = async () => {
  throw new Error('nothing is missing here');
};
const options = { signal: new AbortController().signal, timeoutMs: FAR_LIMIT_MS, fetchMissing: never };
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error & { code: string },
  );

describe('builds of Kustomizations', () => {
  const renderer = start();

  it('stay on the event loop while they are small', async () => {
    const { objects } = await renderer.renderKustomization(request(app, {}, { large: false }), options);

    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['web', 'settings']);
    expect(reports).toEqual([{ engine: 'kustomize', place: 'loop', outcome: 'done' }]);
  });

  it('are the same in a worker, what they read included', async () => {
    const inputs = { 'ConfigMap/vars': { apiVersion: 'v1', kind: 'ConfigMap', data: { LEVEL: 'debug' } } };
    const spec = { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'vars' }] }, namePrefix: 'p-' };
    const wanted = request(app, spec, { inputs });

    const there = await renderer.renderKustomization(wanted, options);
    const here = await renderer.renderKustomization({ ...wanted, key: 'default/here', source: undefined }, options);

    expect(reports.map(({ place }) => place)).toEqual(['worker', 'loop']);
    expect(there).toStrictEqual(here);
    expect(there.objects.map(({ metadata }) => metadata.name)).toEqual(['p-web', 'p-settings', 'p-padding']);
    expect(there.objects[1]).toMatchObject({ data: { level: 'debug' } });
  });

  it('leave the event loop to others meanwhile', async () => {
    const many = Array.from({ length: 400 }, (_, index) => deploymentYaml(`app-${index}`, 'nginx:1')).join('---\n');
    let turns = 0;
    let done = false;
    const turn = () => {
      turns++;
      if (!done) setImmediate(turn);
    };
    turn();

    const { objects } = await renderer.renderKustomization(request({ 'a.yaml': many }), options);
    done = true;

    expect(objects).toHaveLength(401);
    // Built here, it would be one turn or two.
    expect(turns).toBeGreaterThan(20);
  });

  it('fail with the same error in both places', async () => {
    const broken = request({ 'a.yaml': 'kind: [\n' });

    const there = await failure(renderer.renderKustomization(broken, options));
    const here = await failure(renderer.renderKustomization({ ...broken, source: undefined }, options));

    expect(there).toMatchObject({ code: here!.code, message: here!.message, name: here!.name });
    expect(here!.code).toBe('GenerateFailed');
  });

  it('keep the values of Secrets out of errors that cross', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', data: { LEVEL: Buffer.from('"hunter2: [').toString('base64') } };
    const spec = { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'vars' }] } };

    const error = await failure(
      renderer.renderKustomization(request(app, spec, { inputs: { 'Secret/vars': secret } }), options),
    );

    expect(error).toMatchObject({ code: 'SubstituteFailed' });
    expect(JSON.stringify([error, error!.message, error!.stack, error!.cause])).not.toContain('hunter2');
  });

  it('come back for what they miss, and go on with it', async () => {
    const url = 'https://example.com/remote.yaml';
    const files = { ...app, 'kustomization.yaml': `resources:\n- a.yaml\n- z.yaml\n- ${url}\n` };
    const asked: unknown[] = [];
    const fetchMissing = async (missing: unknown) => {
      asked.push(missing);
      const bytes = Buffer.from(configMapYaml('remote', {}));
      return { files: new Map([[url, { bytes }]]), repositories: new Map() };
    };

    const { objects } = await renderer.renderKustomization(request(files), { ...options, fetchMissing });

    expect(asked).toEqual([[{ what: 'file', url }]]);
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(['web', 'padding', 'remote']);
  });

  it('that miss something anew each time are given up', async () => {
    const url = 'https://example.com/remote.yaml';
    const files = { 'kustomization.yaml': `resources:\n- ${url}\n` };
    const fetchMissing = async () => ({ files: new Map(), repositories: new Map() });

    const error = await failure(
      renderer.renderKustomization(request(files, {}, { large: false }), { ...options, fetchMissing }),
    );

    expect(error!.message).toBe('kustomize build failed: remote bases go deeper than 10 levels');
  });

  it('know after the first time where they belong', async () => {
    const wanted = request(app);

    await renderer.renderKustomization(wanted, options);
    await renderer.renderKustomization({ ...wanted, tree: createMemoryTree({}) }, options);

    expect(reports.map(({ place }) => place)).toEqual(['worker', 'worker']);
  });
});

describe('builds that do not end well', () => {
  it('are cut when their time is over, and the next one runs', async () => {
    const renderer = start();

    const long = request({ 'a.yaml': manyConfigMaps() });

    const error = await failure(renderer.renderKustomization(long, { ...options, timeoutMs: 1 }));
    const { objects } = await renderer.renderKustomization(request(app), options);

    expect(error).toMatchObject({
      code: 'BuildFailed',
      message: 'kustomize build failed: not finished after 1ms: raise spec.timeout or split it up',
    });
    expect(objects).toHaveLength(3);
    expect(reports.map(({ outcome }) => outcome)).toEqual(['cut', 'done']);
  });

  it('are cut when they take too much memory, and the next one runs', async () => {
    const renderer = start({ heapMb: 40 });

    const error = await failure(renderer.renderKustomization(request({ 'a.yaml': manyConfigMaps() }), options));
    const { objects } = await renderer.renderKustomization(request(app), options);

    expect(error).toMatchObject({
      code: 'BuildFailed',
      message: 'kustomize build failed: it needs more than the 40 MiB of memory that a render may have: split it up',
    });
    expect(objects).toHaveLength(3);
    expect(reports.map(({ outcome }) => outcome)).toEqual(['cut', 'done']);
  });

  it('give way when nobody wants them any more', async () => {
    const renderer = start();
    const reason = new Error('a newer revision is here');
    const controller = new AbortController();
    const running = failure(renderer.renderKustomization(request(app), { ...options, signal: controller.signal }));
    const waiting = failure(renderer.renderKustomization(request(app), { ...options, signal: controller.signal }));

    controller.abort(reason);

    expect([await running, await waiting]).toEqual([reason, reason]);
  });
});

/** More than a thread of 40 MiB can build, and than any thread builds in a millisecond. */
function manyConfigMaps(): string {
  return Array.from({ length: 20_000 }, (_, index) => configMapYaml(`c-${index}`, { a: 'b' })).join('---\n');
}
