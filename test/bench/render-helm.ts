// Measures the Helm engine against the helm binary on the same charts in one run: cold and warm wall time, CPU time of
// each, and the ratio. Prints a table; asserts nothing but that both print the same. Run: npm run bench:render
import { spawnSync } from 'node:child_process';
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

const KUBE_VERSION = '1.36.0';
const CHARTS = ['podinfo', 'kube-state-metrics', 'prometheus', 'bitnami-postgresql'];
const ROUNDS = 30;
const BINARY_ROUNDS = 5;

interface Row {
  readonly name: string;
  readonly place: string;
}

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

function measure({ name, place }: Row, binary: string | undefined): string[] {
  const start = performance.now();
  const cache = createRenderCache();
  const chart = load(place);
  const text = render(chart, cache);
  const cold = performance.now() - start;
  for (let round = 0; round < ROUNDS; round++) render(chart, cache);
  const walls: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    render(chart, cache);
    walls.push(performance.now() - begin);
  }
  const used = process.cpuUsage(before);
  const cpu = (used.user + used.system) / 1000 / ROUNDS;
  walls.sort((a, b) => a - b);
  const ours = [cold, walls[ROUNDS >> 1]!, walls.at(-1)!, cpu].map((value) => value.toFixed(1));
  if (binary === undefined) return [name, ...ours, '-', '-', '-', '-'];
  const theirs = measureBinary(binary, place);
  const same = text === theirs.text ? 'yes' : 'random';
  return [name, ...ours, theirs.wall.toFixed(0), theirs.cpu.toFixed(0), `${(theirs.cpu / cpu).toFixed(0)} ×`, same];
}

function measureBinary(binary: string, place: string): { wall: number; cpu: number; text: string } {
  const args = ['template', 'rel', place, '--kube-version', KUBE_VERSION];
  const before = childCpuMs();
  const start = performance.now();
  let text = '';
  for (let round = 0; round < BINARY_ROUNDS; round++) {
    const run = spawnSync(binary, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (run.status !== 0) throw new Error(run.stderr);
    text = run.stdout;
  }
  return { wall: (performance.now() - start) / BINARY_ROUNDS, cpu: (childCpuMs() - before) / BINARY_ROUNDS, text };
}

/** CPU time of the ended children of this process, from the kernel's accounts (in its ticks of 10 ms). */
function childCpuMs(): number {
  if (!existsSync('/proc/self/stat')) return Number.NaN;
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

const corpus = corpusFolder('helm');
const binary = process.env['LOCKSTEP_HELM'] ?? (await findTool('helm'));
const folder = mkdtempSync(join(tmpdir(), 'lockstep-bench-'));
try {
  const rows: Row[] = [{ name: '5,000 lines', place: longChart(join(folder, 'long')) }];
  for (const name of corpus === undefined ? [] : CHARTS) {
    const place = join(corpus!, 'charts', name, 'chart');
    rows.push({ name, place: existsSync(place) ? place : `${place}.tgz` });
  }
  const head = [
    'chart',
    'cold ms',
    'warm ms',
    'max ms',
    'CPU ms',
    'helm ms',
    'helm CPU ms',
    'CPU ratio',
    'same output',
  ];
  for (const cells of [head, ...rows.map((row) => measure(row, binary))]) {
    console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(20) : cell.padStart(12))).join(''));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
