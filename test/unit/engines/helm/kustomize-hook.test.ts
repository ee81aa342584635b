import { describe, expect, it } from 'vitest';
import { type ChartRequest, renderChartRequest } from '../../../../src/engines/helm/kustomize-hook.ts';
import { createMemoryTree } from '../../../../src/lib/memory-tree.ts';
import { renderOptions } from './charts.ts';

const tree = createMemoryTree({
  'charts/c/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
  'charts/c/values.yaml': 'a: {x: 1, z: 2}\nl: [1]\n',
  'charts/c/templates/a.yaml':
    'kind: M\nname: {{ .Release.Name }}\nns: {{ .Release.Namespace }}\nvalues: {{ toJson .Values }}\n',
  'charts/c/templates/h.yaml': 'kind: H\nmetadata: {annotations: {helm.sh/hook: test}}\n',
});

function render(chart: Partial<ChartRequest['chart']>, rest: Partial<ChartRequest> = {}): string {
  const entry = {
    name: 'c',
    repo: '',
    releaseName: '',
    namespace: '',
    nameTemplate: '',
    includeCRDs: false,
    skipHooks: true,
    skipTests: false,
    apiVersions: [],
    kubeVersion: '',
  };
  const request: ChartRequest = {
    chart: { ...entry, ...chart },
    tree,
    chartPath: '/charts/c',
    valuesFiles: [{ path: '/charts/c/values.yaml', text: undefined }],
    valuesInline: undefined,
    valuesMerge: 'override',
    ...rest,
  };
  return renderChartRequest(request, renderOptions).manifests;
}

describe('renderChartRequest', () => {
  it.each([
    [{}, 'name: release-name\nns: default\n'],
    [{ releaseName: 'r', namespace: 'n' }, 'name: r\nns: n\n'],
    [{ nameTemplate: '{{ "x" | repeat 3 }}' }, 'name: xxx\nns: default\n'],
  ])('names the release as %j says', (chart, want) => {
    expect(render(chart)).toContain(want);
  });

  const inline = { a: { x: 9, z: null }, b: 3 };
  it.each([
    // The null takes the key out of the file only; the chart's own default is still below.
    ['override', '{"a":{"x":9,"z":2},"b":3,"l":[1]}'],
    ['merge', '{"a":{"x":1,"z":2},"b":3,"l":[1]}'],
    ['replace', '{"a":{"x":9},"b":3,"l":[1]}'],
  ] as const)('puts inline values together by %s', (valuesMerge, want) => {
    expect(render({}, { valuesInline: inline, valuesMerge })).toContain(`values: ${want}`);
  });

  it('lays further files over the first', () => {
    const valuesFiles = [
      { path: 'v1', text: 'a: {x: 5}' },
      { path: 'v2', text: 'l: [2]' },
    ];

    expect(render({}, { valuesFiles })).toContain('values: {"a":{"x":5,"z":2},"l":[2]}');
  });

  it('prints hooks unless told not to', () => {
    expect(render({ skipHooks: false })).toContain('kind: H');
    expect(render({ skipHooks: false, skipTests: true })).not.toContain('kind: H');
  });

  it('says where the chart is missing', () => {
    expect(() => render({}, { chartPath: '/charts/x' })).toThrow("no repo specified for pull, no chart found at ''");
    expect(() => render({ repo: 'https://charts.example' }, { chartPath: '/charts/x' })).toThrow(
      'chart c is not at /charts/x, and charts are not pulled from https://charts.example in a build',
    );
  });
});
