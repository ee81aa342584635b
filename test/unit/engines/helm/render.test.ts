import { describe, expect, it } from 'vitest';
import { formatOutput } from '../../../../src/engines/helm/output.ts';
import { renderChart } from '../../../../src/engines/helm/render.ts';
import { chartOf, rendered, renderOptions } from './charts.ts';

const map = (body: string) => `kind: M\ndata:\n${body}`;

describe('renderChart', () => {
  it('gives manifests in install order, hooks and notes apart', () => {
    const chart = chartOf({
      'templates/a.yaml':
        'kind: Deployment\nmetadata: {name: d}\n---\nkind: Namespace\nmetadata: {name: nn}\n---\n# nothing\n',
      'templates/h.yaml':
        'kind: Job\nmetadata: {name: j, annotations: {helm.sh/hook: "Post-Install, test-success", helm.sh/hook-weight: "-5", helm.sh/hook-delete-policy: hook-succeeded}}\n',
      'templates/x.yaml': 'kind: Job\nmetadata: {name: x, annotations: {helm.sh/hook: crd-install}}\n',
      'templates/NOTES.txt': 'for {{ .Release.Name }}',
      'crds/z.yaml': 'kind: CustomResourceDefinition\n',
    });
    const warnings: string[] = [];

    const result = renderChart(chart, new Map(), { ...renderOptions, warn: (text) => warnings.push(text) });

    if ('missing' in result) throw new Error('nothing is looked up here');
    expect(result.manifests.map(({ kind, name }) => [kind, name])).toEqual([
      ['Namespace', 'nn'],
      ['Deployment', 'd'],
      ['', ''],
    ]);
    expect(result.hooks).toMatchObject([
      { name: 'j', events: ['post-install', 'test'], weight: -5, deletePolicies: ['hook-succeeded'] },
    ]);
    expect(result.notes).toBe('for rel');
    expect(result.crds).toEqual([{ path: 'c/crds/z.yaml', text: 'kind: CustomResourceDefinition\n' }]);
    expect(warnings).toEqual(['info: skipping unknown hook: "crd-install"']);
    expect(formatOutput(result, { includeCrds: true, skipTests: true })).toBe(
      '---\n# Source: c/crds/z.yaml\nkind: CustomResourceDefinition\n\n---\n# Source: c/templates/a.yaml\nkind: Namespace\nmetadata: {name: nn}\n' +
        '---\n# Source: c/templates/a.yaml\nkind: Deployment\nmetadata: {name: d}\n---\n# Source: c/templates/a.yaml\n# nothing\n',
    );
  });

  it('asks for what templates look up, and takes the answers', () => {
    const chart = chartOf({
      'templates/a.yaml': map(
        '  p: {{ (lookup "v1" "Secret" "ns" "s").data.p }}\n  l: {{ len (lookup "v1" "Secret" "ns" "").items }}\n',
      ),
    });
    const known = new Map([
      ['s', { data: { p: 'x' } }],
      ['', { items: [{}, {}] }],
    ]);

    const first = renderChart(chart, new Map(), { ...renderOptions, lookup: () => undefined });
    const second = renderChart(chart, new Map(), { ...renderOptions, lookup: ({ name }) => known.get(name) });

    expect(first).toEqual({
      missing: [{ missing: 'lookup', apiVersion: 'v1', kind: 'Secret', namespace: 'ns', name: 's' }],
    });
    expect('manifests' in second && second.manifests[0]!.value).toEqual({ kind: 'M', data: { p: 'x', l: 2 } });
  });

  it('finds nothing when there is no cluster to ask', () => {
    expect(
      rendered({ 'templates/a.yaml': map('  n: {{ lookup "v1" "Secret" "ns" "s" | len }}\n') })['c/templates/a.yaml'],
    ).toContain('n: 0');
  });

  it('lets a chart set values for its later templates, its parent’s included', () => {
    const files = {
      'charts/s/Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
      'charts/s/templates/a.yaml': '{{ $_ := set .Values "x" "from-s" }}',
      'templates/z.yaml': map('  x: {{ .Values.s.x }}\n  t: {{ typeOf .Values.s }} {{ typeOf .Values }}\n'),
    };

    expect(rendered(files)['c/templates/z.yaml']).toBe(
      'kind: M\ndata:\n  x: from-s\n  t: map[string]interface {} chartutil.Values',
    );
  });

  it.each([
    ['{{ required "need it" .Values.x }}', 'execution error at (c/templates/a.yaml:1:3): need it'],
    ['{{ include "f" . }}{{ define "f" }}{{ fail "no" }}{{ end }}', 'execution error at (c/templates/a.yaml:1:3): no'],
    ['{{ tpl "{{ fail .x }}" (dict "x" "deep") }}', 'execution error at (c/templates/a.yaml:1:3): deep'],
    ['{{ nope }}', 'parse error at (c/templates/a.yaml:1): function "nope" not defined'],
    [
      'a: {{ .Values.x.y }}',
      'template: c/templates/a.yaml:1:13: executing "c/templates/a.yaml" at <.Values.x.y>: nil pointer evaluating interface {}.y',
    ],
    [
      '{{ tpl "{{ .a.b" . }}',
      'template: c/templates/a.yaml:1:3: executing "c/templates/a.yaml" at <tpl "{{ .a.b" .>: error calling tpl: cannot parse template "{{ .a.b": template: gotpl:1: unclosed action',
    ],
    [
      'a: [',
      'YAML parse error on c/templates/a.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content',
    ],
    [
      'just text',
      'YAML parse error on c/templates/a.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type releaseutil.SimpleHead',
    ],
    [
      'kind: [x]',
      'YAML parse error on c/templates/a.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field SimpleHead.kind of type string',
    ],
    [
      'metadata: {annotations: [x]}',
      'YAML parse error on c/templates/a.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field .metadata.annotations of type map[string]string',
    ],
  ])('says of %s what Helm says', (template, message) => {
    expect(() => rendered({ 'templates/a.yaml': template })).toThrow(message);
  });

  it('writes errors in blocks with Helm 4', () => {
    const template = '{{ include "f" . }}{{ define "f" }}{{ .a.b.c }}{{ end }}';

    expect(() => rendered({ 'templates/a.yaml': template }, '', { compat: 'helm4' })).toThrow(
      'c/templates/a.yaml:1:3\n  executing "c/templates/a.yaml" at <include "f" .>:\n    error calling include:\n' +
        'c/templates/a.yaml:1:40\n  executing "f" at <.a.b.c>:\n    nil pointer evaluating interface {}.b',
    );
  });

  it('gives a subchart whose name has a dot no values, as Helm does', () => {
    const files = {
      'charts/s/Chart.yaml': 'apiVersion: v2\nname: s.t\nversion: 1.0.0\n',
      'charts/s/values.yaml': 'a: 1\n',
      'charts/s/templates/a.yaml': map('  v: {{ toJson .Values }}\n'),
    };

    expect(rendered(files)['c/charts/s.t/templates/a.yaml']).toContain('v: {}');
  });

  it('runs a tpl of definitions alone inside a tpl', () => {
    const template = map('  a: {{ tpl "[{{ tpl \\"{{ define `q` }}x{{ end }}\\" . }}]" . }}\n');

    expect(rendered({ 'templates/a.yaml': template })['c/templates/a.yaml']).toContain('a: []');
  });

  it.each([
    ['Bad_Name', 'NameInvalid'],
    ['', 'NameInvalid'],
    ['a'.repeat(54), 'NameInvalid'],
  ])('refuses the release name %s', (name, code) => {
    const options = { ...renderOptions, release: { name, namespace: 'ns' } };

    expect(() => renderChart(chartOf({}), new Map(), options)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['type: library', 'library charts are not installable', 'ChartInvalid'],
    [
      'kubeVersion: ">=1.99"',
      'chart requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.37.0',
      'KubeVersionMismatch',
    ],
    [
      'dependencies: [{name: a, version: "1"}, {name: b, version: "1"}]',
      'found in Chart.yaml, but missing in charts/ directory: a, b',
      'DependencyMissing',
    ],
  ])('refuses a chart with %s', (line, message, code) => {
    const chart = chartOf({ 'Chart.yaml': `apiVersion: v2\nname: c\nversion: 1.0.0\n${line}\n` });

    expect(() => renderChart(chart, new Map(), renderOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('renders a chart again the same, aliases and conditions included', () => {
    const chart = chartOf({
      'Chart.yaml':
        'apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- {name: s, version: 1.x, alias: one, condition: one.on}\n- {name: s, version: 1.x, alias: two, tags: [t]}\n',
      'charts/s/Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
      'charts/s/templates/a.yaml': map('  n: {{ .Chart.Name }}\n'),
      'values.yaml': 'one: {on: true}\ntags: {t: true}\n',
    });
    const run = (values: Map<string, boolean | Map<string, boolean>>) => {
      const result = renderChart(chart, values, renderOptions);
      return 'manifests' in result ? result.manifests.map(({ path }) => path) : [];
    };

    const all = ['c/charts/one/templates/a.yaml', 'c/charts/two/templates/a.yaml'];
    expect(run(new Map())).toEqual(all);
    expect(run(new Map([['one', new Map([['on', false]])]]))).toEqual(all.slice(1));
    expect(run(new Map([['tags', new Map([['t', false]])]]))).toEqual(all.slice(0, 1));
    expect(run(new Map())).toEqual(all);
  });
});
