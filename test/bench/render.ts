// Measures the kustomize engine against the kustomize binary on the same inputs in one run: wall and CPU time of each,
// and the ratio. Prints a table; asserts nothing. Run: npm run bench:render
import { join } from 'node:path';
import { buildKustomization } from '../../src/engines/kustomize/build.ts';
import { createMemoryTree } from '../../src/lib/memory-tree.ts';
import { findKustomize, inTemporaryFolder, writeFiles } from '../support/kustomize-binary.ts';
import { beside, measureBinary, measureHere, printTable } from './measure.ts';

interface Bench {
  readonly name: string;
  readonly files: ReadonlyMap<string, string>;
  readonly target: string;
  readonly rounds: number;
  /** Most ms of a warm build, and how many times less CPU than the binary. */
  readonly asked?: { readonly warmMs?: number; readonly ratio?: number };
}

function deployment(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${index}
  labels:
    app: app-${index}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: app-${index}
  template:
    metadata:
      labels:
        app: app-${index}
    spec:
      serviceAccountName: app-${index}
      containers:
      - name: main
        image: registry.example.com/team/app-${index}:1.0.0
        ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        env:
        - name: MODE
          value: production
        envFrom:
        - configMapRef:
            name: app-${index}
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
      volumes:
      - name: config
        configMap:
          name: app-${index}
`;
}

function service(index: number): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: app-${index}
spec:
  selector:
    app: app-${index}
  ports:
  - name: http
    port: 80
    targetPort: http
`;
}

function configMap(index: number): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: app-${index}
data:
  settings.yaml: |
    name: app-${index}
    level: info
`;
}

const serviceAccount = (index: number): string =>
  `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app-${index}\n`;
const KINDS = [deployment, service, configMap, serviceAccount];

/** Files of `count` objects, four of each app, and the names of the files. */
function objects(count: number): {
  readonly files: readonly (readonly [string, string])[];
  readonly names: readonly string[];
} {
  const files: (readonly [string, string])[] = [];
  for (let i = 0; i < count; i += KINDS.length) {
    files.push([`app-${i / KINDS.length}.yaml`, KINDS.map((make) => make(i / KINDS.length)).join('---\n')]);
  }
  return { files, names: files.map(([name]) => name) };
}

function patch(index: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${index}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: main
        env:
        - name: EXTRA
          value: "${index}"
`;
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}\n`).join('');
}

function overlay(count: number, patches: number, layers: number): ReadonlyMap<string, string> {
  const { files, names } = objects(count);
  const result = new Map<string, string>(files.map(([name, text]) => [`base/${name}`, text]));
  result.set('base/kustomization.yaml', `resources:\n${list(names)}`);
  let below = '../base';
  for (let layer = 1; layer <= layers; layer++) {
    const folder = `layer${layer}`;
    const text = [`resources:\n- ${below}\n`];
    text.push(`labels:\n- pairs:\n    layer${layer}: "yes"\n  includeSelectors: true\n`);
    if (layer === layers)
      text.push('namespace: production\nimages:\n- name: registry.example.com/team/app-0\n  newTag: 2.0.0\n');
    if (layer % 2 === 0) text.push(`namePrefix: l${layer}-\n`);
    const own = layer === 1 ? patches : 0;
    if (own > 0) text.push(`patches:\n${list(Array.from({ length: own }, (_, i) => `path: patch-${i}.yaml`))}`);
    for (let i = 0; i < own; i++) result.set(`${folder}/patch-${i}.yaml`, patch(i));
    result.set(`${folder}/kustomization.yaml`, text.join(''));
    below = `../${folder}`;
  }
  return result;
}

function bare(): ReadonlyMap<string, string> {
  const { files, names } = objects(4);
  return new Map([...files, ['kustomization.yaml', `resources:\n${list(names)}`]]);
}

const benches: readonly Bench[] = [
  { name: 'bare directory, 4 objects', files: bare(), target: '', rounds: 200 },
  {
    name: 'overlay of 20 objects, 5 patches',
    files: overlay(20, 5, 1),
    target: 'layer1',
    rounds: 200,
    asked: { warmMs: 3, ratio: 20 },
  },
  { name: '500 objects, 50 patches', files: overlay(500, 50, 1), target: 'layer1', rounds: 10 },
  { name: '1000 objects, 4 layers', files: overlay(1000, 0, 4), target: 'layer4', rounds: 5 },
  { name: '2000 objects, 4 layers', files: overlay(2000, 0, 4), target: 'layer4', rounds: 5, asked: { warmMs: 400 } },
];

function heapMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

const binary = await findKustomize();
if (binary === undefined) throw new Error('bench:render needs the kustomize binary (test/cluster builds it)');
/** Besides ten times the input: what the engine itself takes. */
const HEAP_MIB = 50;
const rows = [['', 'warm ms', 'CPU ms', 'kustomize ms', 'kustomize CPU ms', 'CPU ratio', 'heap MiB']];
for (const bench of benches) {
  inTemporaryFolder((folder) => {
    writeFiles(folder, bench.files);
    const tree = createMemoryTree(bench.files);
    const build = (): string => {
      const built = buildKustomization(tree, `/${bench.target}`, { reorder: 'unspecified' });
      if (!built.ok) throw new Error('something is missing');
      return built.yaml();
    };
    const ours = measureHere(bench.rounds, build);
    const heap = heapMiB();
    const rounds = bench.rounds > 5 ? 5 : 2;
    const theirs = measureBinary(binary, ['build', join(folder, bench.target)], rounds);
    if (build() !== theirs.text) throw new Error(`${bench.name}: the outputs differ`);
    const input = [...bench.files.values()].reduce((sum, text) => sum + text.length, 0) / 1024 / 1024;
    const { warmMs, ratio } = bench.asked ?? {};
    rows.push([
      bench.name,
      beside(ours.wallMs, warmMs === undefined ? undefined : { most: warmMs }),
      beside(ours.cpuMs, undefined),
      beside(theirs.wallMs, undefined),
      beside(theirs.cpuMs, undefined),
      beside(theirs.cpuMs / ours.cpuMs, ratio === undefined ? undefined : { least: ratio }),
      beside(heap, { most: Math.round(10 * input + HEAP_MIB) }),
    ]);
  });
}
printTable(rows);
