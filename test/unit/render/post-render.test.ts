// Expectations are what Helm 4's merge and split with kustomize 5.8.1 between them make of the same files.
import { describe, expect, it } from 'vitest';
import { errorMessage } from '../../../src/lib/errors.ts';
import { type PostRender, postRender } from '../../../src/render/post-render.ts';

const DEPLOYMENT = `# The web server.
kind: Deployment
apiVersion: apps/v1
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: main
          image: nginx:1   # pinned
`;
const HOOK = `apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations:
    helm.sh/hook: pre-install
`;
const PLAIN = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n';
const origin = { 'helm.toolkit.fluxcd.io/name': 'app' };
const files = new Map([
  ['c/templates/b.yaml', `${DEPLOYMENT}---\n${HOOK}`],
  ['c/templates/a.yaml', PLAIN],
  ['c/templates/_h.tpl', 'not: [yaml'],
]);

function rendered(wanted: PostRender, input: ReadonlyMap<string, string> = files): Record<string, string> | string {
  try {
    return Object.fromEntries(postRender(input, wanted, () => {}));
  } catch (error) {
    return errorMessage(error);
  }
}

describe('post rendering', () => {
  it('labels every object, hooks too, and gives each file back its documents', () => {
    const result = rendered({ renderers: [], originLabels: origin });

    expect(result).toEqual({
      'c/templates/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels:\n    helm.toolkit.fluxcd.io/name: app\n  name: plain\n',
      'c/templates/b.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    helm.toolkit.fluxcd.io/name: app
  name: web
spec:
  template:
    spec:
      containers:
      - image: nginx:1
        name: main
---
apiVersion: v1
kind: ConfigMap
metadata:
  annotations:
    helm.sh/hook: pre-install
  labels:
    helm.toolkit.fluxcd.io/name: app
  name: hook
`,
    });
  });

  it('patches, sets images, and puts metadata on the objects alone, in this order', () => {
    const patch = '- op: add\n  path: /metadata/labels\n  value: {tier: patched, own: "1"}\n';
    const result = rendered(
      {
        renderers: [
          { kustomize: { patches: [{ target: { kind: 'Deployment' }, patch }] } },
          { kustomize: { images: [{ name: 'nginx', newTag: '2' }] } },
        ],
        commonMetadata: { labels: { tier: 'common' }, annotations: { note: 'yes' } },
        originLabels: origin,
      },
      new Map([['w.yaml', DEPLOYMENT]]),
    );

    expect(result).toEqual({
      'w.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    note: "yes"
  labels:
    helm.toolkit.fluxcd.io/name: app
    own: "1"
    tier: common
  name: web
spec:
  template:
    spec:
      containers:
      - image: nginx:2
        name: main
`,
    });
  });

  it('takes the patches of v2beta2', () => {
    const merge = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'plain' }, data: { a: 'b' } };
    const json = { target: { kind: 'ConfigMap', name: 'plain' }, patch: [{ op: 'add', path: '/data/c', value: 'd' }] };

    const result = rendered(
      { renderers: [{ kustomize: { patchesStrategicMerge: [merge], patchesJson6902: [json] } }] },
      new Map([['a.yaml', PLAIN]]),
    );

    expect(result).toEqual({
      'a.yaml': 'apiVersion: v1\ndata:\n  a: b\n  c: d\nkind: ConfigMap\nmetadata:\n  name: plain\n',
    });
  });

  it('leaves hooks alone, or renders them on their own, as the strategy says', () => {
    const labelled = (strategy: PostRender['strategy']) =>
      Object.entries(rendered({ renderers: [], originLabels: origin, strategy: strategy! })).map(([path, text]) => [
        path,
        text.split('fluxcd.io/name: app').length - 1,
      ]);

    expect(labelled('nohooks')).toEqual([
      ['c/templates/b.yaml', 1],
      ['c/templates/a.yaml', 1],
    ]);
    expect(labelled('separate')).toEqual([
      ['c/templates/b.yaml', 2],
      ['c/templates/a.yaml', 1],
    ]);
  });

  it('may render the same object as a hook and as none only separately', () => {
    const twice = new Map([['a.yaml', `${HOOK}---\n${HOOK.replace(/ {2}annotations:\n.*\n/, '')}`]]);

    expect(rendered({ renderers: [{ kustomize: {} }], strategy: 'combined' }, twice)).toMatch(
      /^error while running post render on files: .*may not add resource with an already registered id: ConfigMap/,
    );
    expect(Object.keys(rendered({ renderers: [{ kustomize: {} }], strategy: 'separate' }, twice))).toEqual(['a.yaml']);
  });

  it('takes Lists apart', () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- &one\n  ${PLAIN.trim().replaceAll('\n', '\n  ')}\n  data: &d {a: b}\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  stringData: *d\n`;

    expect(rendered({ renderers: [{ kustomize: {} }] }, new Map([['l.yaml', list]]))).toEqual({
      'l.yaml': `apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: plain\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  a: b\n`,
    });
  });

  it('gives a file name to objects that lost theirs', () => {
    const patch = `- op: remove\n  path: /metadata/annotations\n`;

    expect(
      Object.keys(
        rendered(
          { renderers: [{ kustomize: { patches: [{ target: { kind: 'ConfigMap' }, patch }] } }] },
          new Map([['a.yaml', PLAIN]]),
        ),
      ),
    ).toEqual(['generated-by-postrender-0.yaml']);
  });

  it.each([
    [
      'what is no YAML',
      new Map([['a.yaml', 'a: [']]),
      /^error merging manifests: parsing a.yaml: MalformedYAMLError: /,
    ],
    ['what is no object', new Map([['a.yaml', '- a']]), /^error merging manifests: annotating a.yaml: /],
  ])('refuses %s', (_name, input, message) => {
    expect(rendered({ renderers: [{ kustomize: {} }] }, input)).toMatch(message);
  });

  it('refuses patches from elsewhere', () => {
    const remote = { patches: [{ path: 'https://example.com/patch.yaml' }] };

    expect(rendered({ renderers: [{ kustomize: remote }] })).toMatch(
      'error while running post render on files: patches of post renderers must be local',
    );
  });
});
