// Measures the Helm engine against the helm binary on the same charts in one run: cold and warm wall time, CPU time of
// each, and the ratio. Prints a table; asserts nothing but that both print the same. Run: npm run bench:render
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createDiskTree } from '../../src/artifact/disk-tree.ts';
import { loadChartArchive } from '../../src/engines/helm/archive.ts';
import { defaultApiVersions, parseKubeVersion } from '../../src/engines/helm/capabilities.ts';
import type { Chart } from '../../src/engines/helm/chart.ts';
import { loadChartFolder } from '../../src/engines/helm/folder.ts';
import { formatOutput } from '../../src/engines/helm/output.ts';
import { createRenderCache, type RenderCache, renderChart } from '../../src/engines/helm/render.ts';
import { systemTemplateHost } from '../../src/offload/template-host.ts';
import { findTool } from '../cluster/build.ts';
import { corpusFolder } from '../support/corpus.ts';
import { beside, measureBinary, measureHere, printTable } from './measure.ts';

const KUBE_VERSION = '1.36.0';
const BINARY_ROUNDS = 5;
/** Less CPU than a `helm template` process, so many times. */
const RATIO = 10;

interface Row {
  readonly name: string;
  readonly place: string;
  readonly rounds: number;
  readonly asked?: { readonly warmMs?: number; readonly ratio?: number };
}

/** Charts of the corpus. What the last two take is making RSA keys, in OpenSSL here and in Go there. */
const CHARTS: readonly Omit<Row, 'place'>[] = [
  { name: 'podinfo', rounds: 100, asked: { warmMs: 3, ratio: RATIO } },
  { name: 'kube-state-metrics', rounds: 30, asked: { ratio: RATIO } },
  // The largest of the corpus, by templates, by output and by time.
  { name: 'prometheus', rounds: 30, asked: { warmMs: 60, ratio: RATIO } },
  { name: 'bitnami-postgresql', rounds: 30, asked: { ratio: RATIO } },
  { name: 'bitnami-redis', rounds: 30, asked: { ratio: RATIO } },
  { name: 'bitnami-nginx', rounds: 10 },
  { name: 'bitnami-etcd', rounds: 3 },
];

/** A chart whose one template writes five thousand lines. */
function longChart(folder: string): string {
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: long\nversion: 1.0.0\n',
    'values.yaml': 'count: 250\nimage: registry.example.com/app\n',
    'templates/_h.tpl':
      '{{- define "labels" -}}\napp: {{ .name | quote }}\ntier: {{ .tier | default "web" | upper }}\n{{- end }}',
    'templates/all.yaml': `{{- range $i := until (int .Values.count) }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ printf "app-%d" $i }}
  labels:
    {{- include "labels" (dict "name" (printf "app-%d" $i)) | nindent 4 }}
spec:
  replicas: {{ add $i 1 | mod 3 | int }}
  template:
    metadata:
      labels:
        {{- include "labels" (dict "name" (printf "app-%d" $i) "tier" "db") | nindent 8 }}
    spec:
      containers:
        - name: main
          image: "{{ $.Values.image }}:{{ $.Chart.Version }}"
          {{- with dict "requests" (dict "cpu" "100m") }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
{{- end }}
`,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function load(place: string): Chart {
  return place.endsWith('.tgz')
    ? loadChartArchive(readFileSync(place))
    : loadChartFolder(createDiskTree('/'), place.slice(1));
}

function render(chart: Chart, cache: RenderCache): string {
  const rendered = renderChart(chart, new Map(), {
    release: { name: 'rel', namespace: 'default' },
    host: systemTemplateHost,
    cache,
    capabilities: { kubeVersion: parseKubeVersion(KUBE_VERSION), apiVersions: defaultApiVersions('helm3') },
  });
  if ('missing' in rendered) throw new Error('nothing is looked up here');
  return formatOutput(rendered);
}

function measure({ name, place, rounds, asked = {} }: Row, binary: string | undefined): string[] {
  const start = performance.now();
  const cache = createRenderCache();
  const chart = load(place);
  const text = render(chart, cache);
  const cold = performance.now() - start;
  const { wallMs, maxMs, cpuMs } = measureHere(rounds, () => render(chart, cache));
  const ours = [
    beside(cold, undefined),
    beside(wallMs, asked.warmMs === undefined ? undefined : { most: asked.warmMs }),
    beside(maxMs, undefined),
    beside(cpuMs, undefined),
  ];
  if (binary === undefined) return [name, ...ours, '-', '-', '-', '-'];
  const args = ['template', 'rel', place, '--kube-version', KUBE_VERSION];
  const theirs = measureBinary(binary, args, BINARY_ROUNDS);
  const ratio = beside(theirs.cpuMs / cpuMs, asked.ratio === undefined ? undefined : { least: asked.ratio });
  const same = text === theirs.text ? 'yes' : 'random';
  return [name, ...ours, beside(theirs.wallMs, undefined), beside(theirs.cpuMs, undefined), ratio, same];
}

const corpus = corpusFolder('helm');
const binary = process.env['LOCKSTEP_HELM'] ?? (await findTool('helm'));
const folder = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
try {
  const long = { name: '5,000 lines', place: longChart(join(folder, 'long')), rounds: 30, asked: { ratio: RATIO } };
  const rows: Row[] = [long];
  for (const chart of corpus === undefined ? [] : CHARTS) {
    const place = join(corpus!, 'charts', chart.name, 'chart');
    rows.push({ ...chart, place: existsSync(place) ? place : `${place}.tgz` });
  }
  const heads = ['cold ms', 'warm ms', 'max ms', 'CPU ms', 'helm ms', 'helm CPU ms', 'CPU ratio', 'same output'];
  printTable([['chart', ...heads], ...rows.map((row) => measure(row, binary))]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
