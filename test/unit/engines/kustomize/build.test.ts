import { describe, expect, it } from 'vitest';
import { type BuildOptions, buildKustomization } from '../../../../src/engines/kustomize/build.ts';
import { BuildError } from '../../../../src/engines/kustomize/errors.ts';
import type { Fetched, FetchedFile, FetchedRepository } from '../../../../src/engines/kustomize/missing.ts';
import type { FileTree } from '../../../../src/lib/filetree.ts';
import { createMemoryTree } from '../../../../src/lib/memory-tree.ts';
import { type ReadRecord, recordReads, wouldReadTheSame } from '../../../../src/lib/recording-tree.ts';
import { runSteps } from '../../../../src/lib/steps.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n';

function build(files: Readonly<Record<string, string>>, options: BuildOptions = {}, target = '/') {
  return buildKustomization(createMemoryTree(files), target, options);
}

function yamlOf(...args: Parameters<typeof build>): string {
  const built = build(...args);
  if (!built.ok) throw new Error(JSON.stringify(built.missing));
  return built.yaml();
}

function faultOf(work: () => unknown): BuildError {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function fetched(
  files: Readonly<Record<string, FetchedFile>>,
  repositories: Readonly<Record<string, FetchedRepository>> = {},
): Fetched {
  return { file: (url) => files[url], repository: (key) => repositories[key] };
}

const readsTheSame = (record: ReadRecord, tree: FileTree) => runSteps(wouldReadTheSame(record, tree));

describe('buildKustomization', () => {
  it('answers YAML, objects and nodes of the same resources', () => {
    const built = build({ 'kustomization.yaml': 'resources: [c.yaml]\n', 'c.yaml': CONFIG_MAP });

    if (!built.ok) throw new Error('missing');
    expect(built.yaml()).toBe(CONFIG_MAP);
    expect(built.objects()).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }]);
    expect(built.resources.length).toBe(1);
  });

  it('gives the same twice from one tree', () => {
    const tree = createMemoryTree({
      'kustomization.yaml': 'resources: [c.yaml]\nnamePrefix: p-\n',
      'c.yaml': CONFIG_MAP,
    });
    const run = () => {
      const built = buildKustomization(tree, '/');
      return built.ok ? built.yaml() : '';
    };

    expect(run()).toBe(run());
  });

  it('reports all remote resources of a round together', () => {
    const built = build({
      'kustomization.yaml':
        'resources:\n- https://example.com/a.yaml\n- github.com/org/repo//base?ref=v1\ncomponents:\n- https://host/x.git//part?submodules=false\n',
    });

    expect(built.ok ? [] : built.missing).toEqual([
      { what: 'file', url: 'https://example.com/a.yaml' },
      {
        what: 'repository',
        key: 'https://github.com/org/repo?ref=v1',
        url: 'https://github.com/org/repo',
        ref: 'v1',
        submodules: true,
        timeoutMs: 27_000,
      },
      {
        what: 'repository',
        key: 'https://host/x.git?ref=&submodules=false',
        url: 'https://host/x.git',
        ref: '',
        submodules: false,
        timeoutMs: 27_000,
      },
    ]);
  });

  it.each([
    'patches: [{path: "https://example.com/p.yaml"}]',
    'configurations: ["https://example.com/p.yaml"]',
    'configMapGenerator: [{name: x, files: ["p=https://example.com/p.yaml"]}]',
    'replacements: [{path: "https://example.com/p.yaml"}]',
    'transformers: ["https://example.com/p.yaml"]',
    'crds: ["https://example.com/p.yaml"]',
  ])('reports what %s lacks', (field) => {
    const built = build({ 'kustomization.yaml': `resources: [c.yaml]\n${field}\n`, 'c.yaml': CONFIG_MAP });

    expect(built.ok ? [] : built.missing).toEqual([{ what: 'file', url: 'https://example.com/p.yaml' }]);
  });

  it('does not take a fault for one while something is missing', () => {
    const patch = 'patches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: c}\n';

    const built = build({ 'kustomization.yaml': `resources: [https://example.com/a.yaml]\n${patch}` });

    expect(built.ok).toBe(false);
  });

  it('builds with what was fetched', () => {
    const tree = createMemoryTree({
      'base/kustomization.yaml': 'resources: [c.yaml]\n',
      'base/c.yaml': CONFIG_MAP.replace('c\n', 'remote\n'),
    });
    const options = {
      fetched: fetched(
        { 'https://example.com/a.yaml': { bytes: Buffer.from(CONFIG_MAP) } },
        { 'https://github.com/org/repo?ref=': { tree } },
      ),
    };

    const yaml = yamlOf(
      { 'kustomization.yaml': 'resources:\n- https://example.com/a.yaml\n- github.com/org/repo//base\n' },
      options,
    );

    expect(yaml).toBe(`${CONFIG_MAP}---\n${CONFIG_MAP.replace('c\n', 'remote\n')}`);
  });

  it('takes a URL that is refused as a file for a repository, and fails when it can be none', () => {
    const refused = { status: 404, statusText: 'Not Found' };
    const files = (url: string) => ({ 'kustomization.yaml': `resources: ["${url}"]\n` });
    const repository = 'https://example.com/org/repo';
    const plain = 'https://example.com/a';

    const asRepository = build(files(repository), { fetched: fetched({ [repository]: refused }) });
    const fault = faultOf(() => build(files(plain), { fetched: fetched({ [plain]: refused }) }));

    expect(asRepository.ok ? [] : asRepository.missing.map(({ what }) => what)).toEqual(['repository']);
    expect(fault.message).toBe(
      `accumulating resources: accumulating resources from '${plain}': HTTP Error: status code 404 (Not Found)`,
    );
  });

  it('keeps a repository inside itself', () => {
    const tree = createMemoryTree({ 'kustomization.yaml': 'resources: [../outside]\n' });
    const options = { fetched: fetched({}, { 'https://github.com/org/repo?ref=': { tree } }) };

    const fault = faultOf(() => build({ 'kustomization.yaml': 'resources: [github.com/org/repo]\n' }, options));

    expect(fault.message).toContain(
      'security; bases in kustomizations found in cloned git repos must be within the repo',
    );
  });

  it('sees a repository that names itself', () => {
    const tree = createMemoryTree({ 'kustomization.yaml': 'resources: [github.com/org/repo]\n' });
    const options = { fetched: fetched({}, { 'https://github.com/org/repo?ref=': { tree } }) };

    const fault = faultOf(() => build({ 'kustomization.yaml': 'resources: [github.com/org/repo]\n' }, options));

    expect(fault.message).toContain(
      "cycle detected: URI 'github.com/org/repo' referenced by previous URI 'github.com/org/repo'",
    );
  });

  it('reads nothing past the tree, so that a record of reads decides whether to build again', () => {
    const files = { 'kustomization.yaml': 'resources: [c.yaml]\n', 'c.yaml': CONFIG_MAP };
    const { tree, record } = recordReads(createMemoryTree(files));

    buildKustomization(tree, '/');

    expect(readsTheSame(record, createMemoryTree({ ...files, 'other.yaml': 'x' }))).toBe(true);
    expect(readsTheSame(record, createMemoryTree({ ...files, 'c.yaml': `${CONFIG_MAP}data: {}\n` }))).toBe(false);
    expect(readsTheSame(record, createMemoryTree({ ...files, Kustomization: 'x' }))).toBe(false);
  });

  it('says which fields are deprecated', () => {
    const lines: string[] = [];

    yamlOf({ 'kustomization.yaml': 'bases: []\nvars: []\nresources: []\n' }, { warn: (line) => lines.push(line) });

    expect(lines).toEqual([
      "# Warning: 'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
      "# Warning: 'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] Run 'kustomize edit fix' to update your Kustomization automatically.",
    ]);
  });

  it('names the code of a fault', () => {
    const codes = [
      faultOf(() => build({})).code,
      faultOf(() => build({ 'kustomization.yaml': 'resources: [missing]\n' })).code,
      faultOf(() => build({ 'kustomization.yaml': 'helmCharts: [{name: x}]\n' })).code,
    ];

    expect(codes).toEqual(['KustomizationInvalid', 'LoadFailed', 'NotSupported']);
  });

  it('lets a custom schema add to the built-in one for Flux, and take its place otherwise', () => {
    const files = {
      'kustomization.yaml':
        'resources: [d.yaml]\nopenapi: {path: s.json}\npatches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: d}\n    spec: {template: {spec: {containers: [{name: b}]}}}\n',
      'd.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [{name: a}]}}}\n',
      's.json': '{"definitions": {}}',
    };

    expect(yamlOf(files, { openapi: 'add' })).toContain('- name: b\n      - name: a\n');
    expect(yamlOf(files)).not.toContain('- name: a\n');
  });

  it('writes one file per object, with the namespace when there are several', () => {
    const files = {
      'kustomization.yaml': 'resources: [c.yaml]\n',
      'c.yaml': `${CONFIG_MAP}---\n${CONFIG_MAP.replace('name: c', 'name: d\n  namespace: Prod')}---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n`,
    };
    const built = build(files);

    expect(built.ok ? [...built.files().keys()] : []).toEqual([
      'default_v1_configmap_c.yaml',
      'prod_v1_configmap_d.yaml',
      'v1_namespace_n.yaml',
    ]);
  });
});
