// Owns what makes random kustomizations odd: line ends, document marks, anchors, lists, configurations, schemas, and
// faults in the kustomization file. Applied to a build that kustomize-generator.ts made.
import type { Random } from './seeded-choices.ts';

type Files = Map<string, string>;
type Oddity = (files: Files, random: Random) => void;

function pathsOf(files: Files, pattern: RegExp): string[] {
  return [...files.keys()].filter((path) => pattern.test(path));
}

function change(files: Files, random: Random, pattern: RegExp, edit: (text: string) => string): void {
  const paths = pathsOf(files, pattern);
  if (paths.length === 0) return;
  const path = random.pick(paths);
  files.set(path, edit(files.get(path)!));
}

const OBJECTS = /objects\d+\.yaml$/;
const KUSTOMIZATION = /ustomization(?:\.ya?ml)?$/;

const ANCHORED = `
---
apiVersion: example.com/v1
kind: Widget
metadata: &meta
  name: anchored
  labels: &labels {app: web, n: "1"}
spec:
  template: &template
    metadata: *meta
    list: &list [a, &b b, *b]
  copies: [*template, {<<: *template, list: own}]
  merged:
    <<: [{a: 1, b: 2}, *labels]
    b: own
  again: *list
`;

const LISTED = `
---
apiVersion: v1
kind: ConfigMapList
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: listed-one}
  data: {n: "1", t: 2001-01-01, s: yes}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed-two, namespace: prod}}
---
apiVersion: v1
kind: EmptyList
items:
`;

const CONFIGURATION = `namePrefix:
- path: spec/nested/ref
  kind: Widget
nameReference:
- kind: ConfigMap
  version: v1
  fieldSpecs:
  - path: spec/value
    kind: Widget
  - path: spec/list
    kind: Gadget
- kind: Widget
  fieldSpecs:
  - path: metadata/annotations/widget
commonAnnotations:
- path: spec/nested/annotations
  create: true
  kind: Widget
commonLabels:
- path: spec/nested/labels
  create: true
  kind: Gadget
images:
- path: spec/nested/deep/image
  kind: Widget
replicas:
- path: spec/count
  create: true
  kind: Widget
namespace:
- path: spec/nested/namespace
  create: true
  kind: Gadget
varReference:
- path: spec/list
  kind: Widget
`;

const SCHEMA = JSON.stringify({
  definitions: {
    Widget: {
      'x-kubernetes-group-version-kind': [{ group: 'example.com', version: 'v1', kind: 'Widget' }],
      properties: {
        spec: {
          properties: {
            list: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
            nested: {
              properties: {
                containers: {
                  type: 'array',
                  items: { $ref: '#/definitions/io.k8s.api.core.v1.Container' },
                  'x-kubernetes-patch-strategy': 'merge',
                  'x-kubernetes-patch-merge-key': 'name',
                },
              },
            },
          },
        },
      },
    },
  },
  paths: {
    '/apis/example.com/v1/gadgets': {
      get: { 'x-kubernetes-group-version-kind': { group: 'example.com', version: 'v1beta1', kind: 'Gadget' } },
    },
  },
});

function nameFile(files: Files, random: Random, field: string, file: string, text: string): void {
  const paths = pathsOf(files, KUSTOMIZATION);
  const path = random.pick(paths);
  if (files.get(path)!.includes(`${field}:`)) return;
  files.set(`${path.slice(0, path.lastIndexOf('/') + 1)}${file}`, text);
  const value = field === 'openapi' ? `{path: ${file}}` : `[${file}]`;
  files.set(path, `${files.get(path)!}${field}: ${value}\n`);
}

const WIDGET_PATCH = `apiVersion: example.com/v1
kind: Widget
metadata:
  name: anchored
spec:
  list: [b, c]
  nested:
    containers: # {"type": "array"}
    - {name: c, image: patched}
    - {name: d, image: new}
`;

const ODDITIES: readonly (readonly [probability: number, apply: Oddity])[] = [
  [0.15, (files, random) => change(files, random, OBJECTS, (text) => text.replaceAll('\n', '\r\n'))],
  [0.15, (files, random) => change(files, random, OBJECTS, (text) => `---\n${text}`)],
  [0.1, (files, random) => change(files, random, OBJECTS, (text) => `# head\n\n${text}---\n# nothing\n---\n`)],
  [0.05, (files, random) => change(files, random, OBJECTS, (text) => `${text}...\n`)],
  [0.05, (files, random) => change(files, random, OBJECTS, (text) => `${text}--- trailing\na: b\n`)],
  [0.05, (files, random) => change(files, random, OBJECTS, (text) => `%YAML 1.1\n---\n${text}`)],
  [0.35, (files, random) => change(files, random, OBJECTS, (text) => `${text.trimEnd()}${ANCHORED}`)],
  [0.25, (files, random) => change(files, random, OBJECTS, (text) => `${text.trimEnd()}${LISTED}`)],
  [0.25, (files, random) => nameFile(files, random, 'configurations', 'config.yaml', CONFIGURATION)],
  [0.2, (files, random) => nameFile(files, random, 'openapi', 'schema.json', SCHEMA)],
  [0.15, (files, random) => nameFile(files, random, 'patchesStrategicMerge', 'widget.yaml', WIDGET_PATCH)],
  [
    0.04,
    (files, random) =>
      change(
        files,
        random,
        KUSTOMIZATION,
        (text) =>
          `${text}${random.pick(['odd: 1', 'namePrefix: 5', 'NAMESUFFIX: -case', 'labels: {a: b}', 'images: [{name: 1}]', 'replicas: [{name: x, count: "3"}]', 'resources: text', 'patches: [{target: [], path: x}]'])}\n`,
      ),
  ],
  [
    0.03,
    (files, random) =>
      change(
        files,
        random,
        OBJECTS,
        (text) =>
          `${text}---\n${random.pick(['kind: X\n', 'apiVersion: v1\nkind: X\n', 'a: b\n', '- a\n', 'text\n', 'a: [\n', 'apiVersion: v1\nkind: X\nmetadata: {name: x, labels: [a]}\n', 'apiVersion: v1\nkind: XList\nitems: {a: b}\n', 'a: *missing\n', 'apiVersion: v1\nkind: X\nmetadata: {name: }\n', 'apiVersion: v1\nkind: X\nmetadata:\n  name: 12\n  annotations: {n: 5, "y": yes}\n'])}`,
      ),
  ],
];

/** Makes a build odd, in place. */
export function addOddities(files: Files, random: Random): void {
  for (const [probability, apply] of ODDITIES) if (random.chance(probability)) apply(files, random);
}
