// Owns random patches of kustomizations: strategic merge and JSON 6902, with selectors that fit and some that do not. The
// kustomizations around them are kustomize-generator.ts.
import {
  awkwardText,
  awkwardValue,
  IMAGES,
  NAMES,
  type RandomObject,
  randomContainer,
  writeYaml,
  type Yaml,
} from './kustomize-objects.ts';
import type { Random } from './seeded-choices.ts';

type Fields = Record<string, Yaml>;

/** What a patch is made for. */
export interface Context {
  /** Files by path, to which a patch may add its own. */
  readonly files: Map<string, string>;
  /** Of the kustomization. */
  readonly folder: string;
  readonly objects: readonly RandomObject[];
}

/** A Deployment or StatefulSet among the objects. */
export function workloadOf(objects: readonly RandomObject[], random: Random): RandomObject | undefined {
  const found = objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  return found.length === 0 ? undefined : random.pick(found);
}

/** A selector that fits one of the objects, most of the time. */
export function selector(random: Random, objects: readonly RandomObject[]): Yaml {
  const one = random.pick(objects);
  const parts: Fields = {};
  if (random.chance(0.7)) parts['kind'] = random.chance(0.8) ? one.kind : '.*Set|Deployment';
  if (random.chance(0.4))
    parts['name'] = random.chance(0.7) ? one.name : random.pick(['.*', 'w.b', '(web|db)', '.*-?web']);
  if (random.chance(0.15)) parts['namespace'] = random.pick(['default', 'prod', '.*']);
  if (random.chance(0.15))
    parts['labelSelector'] = random.pick(['app', '!tier', 'app in (web, x)', 'tier!=a', 'app=web']);
  if (random.chance(0.1)) parts['version'] = 'v1';
  return parts;
}

/** An entry of `patches`; its text may go into a file. */
export function patchEntry(random: Random, context: Context): Yaml {
  const { objects, files, folder } = context;
  const entry: Fields = {};
  let text: string;
  if (random.chance(0.4)) {
    const made = jsonPatch(random, objects);
    text = made.text;
    entry['target'] = made.target;
  } else {
    text = mergePatch(random, context);
    if (random.chance(0.4)) entry['target'] = selector(random, objects);
    if (random.chance(0.1))
      entry['options'] = { allowNameChange: random.chance(0.5), allowKindChange: random.chance(0.3) };
  }
  if (random.chance(0.3)) {
    const file = `patch${files.size}.yaml`;
    files.set(`${folder}/${file}`, text);
    entry['path'] = file;
  } else entry['patch'] = text;
  return entry;
}

/** A strategic merge patch of one of the objects. */
export function mergePatch(random: Random, { objects }: Context): string {
  const target = random.pick(objects);
  const metadata: Fields = { name: target.name };
  if (target.namespace !== '' && random.chance(0.9)) metadata['namespace'] = target.namespace;
  if (random.chance(0.3))
    metadata['labels'] = random.pick<Yaml>([
      { app: awkwardText(random) },
      { app: null },
      null,
      { $patch: 'replace', only: 'this' },
    ]);
  if (random.chance(0.3))
    metadata['annotations'] = random.pick<Yaml>([{ note: awkwardText(random) }, { note: null }, {}]);
  if (random.chance(0.1)) metadata['finalizers'] = random.some(['f/one', 'f/new'], 0.6);
  const body: Fields = { apiVersion: target.apiVersion, kind: target.kind, metadata };
  if (random.chance(0.04)) body['$patch'] = random.pick(['delete', 'replace', 'merge']);
  Object.assign(body, patchBody(target, random));
  return `${writeYaml(body, random).trimStart()}\n`;
}

function patchBody(target: RandomObject, random: Random): Fields {
  const container = (): Yaml => {
    const one = randomContainer(random);
    for (const field of Object.keys(one)) if (field !== 'name' && random.chance(0.4)) delete one[field];
    if (random.chance(0.15)) one['$patch'] = random.pick(['delete', 'replace', 'merge']);
    if (random.chance(0.1)) one['image'] = null;
    return one;
  };
  const pod = (): Fields => {
    const spec: Fields = { containers: random.chance(0.1) ? [{ $patch: 'replace' }, container()] : [container()] };
    if (random.chance(0.2))
      spec['volumes'] = [
        random.pick<Yaml>([
          { name: 'v', $patch: 'delete' },
          { name: 'v', emptyDir: {} },
          { name: 'new', configMap: { name: random.pick(NAMES) } },
        ]),
      ];
    if (random.chance(0.1)) spec['initContainers'] = random.pick<Yaml>([null, [], [container()]]);
    return spec;
  };
  switch (target.kind) {
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicationController':
    case 'Job':
      return {
        spec: {
          ...(random.chance(0.5) ? { replicas: random.pick<Yaml>([3, null, { raw: '"4"' }]) } : {}),
          template: { spec: pod() },
        },
      };
    case 'CronJob':
      return { spec: { jobTemplate: { spec: { template: { spec: pod() } } } } };
    case 'Pod':
      return { spec: pod() };
    case 'Service':
      return {
        spec: {
          ports: [{ port: 80, ...(random.chance(0.5) ? { protocol: 'TCP' } : {}), targetPort: awkwardValue(random) }],
        },
      };
    case 'ConfigMap':
      return { data: { a: random.pick<Yaml>([null, awkwardText(random)]), added: awkwardText(random) } };
    case 'Widget':
    case 'Gadget':
      return {
        spec: {
          value: awkwardValue(random),
          list: random.pick<Yaml>([['only'], null, []]),
          nested: { extra: { x: null, y: awkwardValue(random) } },
        },
      };
    default:
      return random.chance(0.5) ? { extra: { field: awkwardText(random) } } : {};
  }
}

const WILD_PATHS = [
  '/metadata/labels/app',
  '/metadata/annotations/note',
  '/metadata/name',
  '/data/a',
  '/spec/list/0',
  '/spec/new',
];

/** A JSON patch and the objects it is made for; a few fit none. */
function jsonPatch(random: Random, objects: readonly RandomObject[]): { readonly text: string; readonly target: Yaml } {
  const wild = random.chance(0.06);
  const workload = workloadOf(objects, random);
  const list: Yaml[] = [];
  for (let i = 0; i <= random.below(2); i++) {
    if (wild) list.push(wildOperation(random));
    else if (workload !== undefined && random.chance(0.6)) list.push(workloadOperation(random));
    else list.push(anyOperation(random));
  }
  const fits = list.some((one) => JSON.stringify(one).includes('/spec/'));
  const target = wild || !fits ? selector(random, objects) : { kind: workload!.kind };
  return { text: random.chance(0.3) ? JSON.stringify(list) : `${writeYaml(list, random).trimStart()}\n`, target };
}

function patchValue(random: Random): Yaml {
  return random.pick<Yaml>(['text', 5, 1234567, true, { a: 1, n: null }, 'yes', 'a\nb', [1, 'two'], '0644', 1.5]);
}

function workloadOperation(random: Random): Yaml {
  return random.pick<Yaml>([
    { op: 'add', path: '/spec/replicas', value: random.pick([2, 1234567]) },
    { op: 'replace', path: '/spec/template/spec/containers/0/image', value: random.pick(IMAGES) },
    {
      op: 'add',
      path: '/spec/template/spec/containers/-',
      value: { name: 'extra', image: 'x', args: [awkwardText(random)] },
    },
    { op: 'add', path: '/spec/template/spec/containers/0', value: { name: 'first', ports: [{ containerPort: 80 }] } },
    { op: 'copy', from: '/metadata/name', path: '/spec/template/spec/hostname' },
    { op: 'move', from: '/spec/template/spec/containers/0', path: '/spec/template/spec/containers/-' },
    { op: 'test', path: '/spec/template/spec/containers/0/command', value: null },
  ]);
}

function anyOperation(random: Random): Yaml {
  return random.pick<Yaml>([
    { op: 'add', path: '/metadata/annotations', value: { fresh: awkwardText(random) } },
    { op: 'add', path: '/metadata/labels', value: { app: awkwardText(random) } },
    { op: 'add', path: '/extra~1field', value: patchValue(random) },
    { op: 'replace', path: '/extra', value: patchValue(random) },
    { op: 'copy', from: '/metadata', path: '/copied' },
    { op: 'copy', from: '/nothing', path: '/copiedNothing' },
  ]);
}

function wildOperation(random: Random): Yaml {
  const op = random.pick(['add', 'replace', 'remove', 'test', 'copy', 'move', 'odd']);
  const fields: Fields = { op, path: random.pick(WILD_PATHS) };
  if (op === 'add' || op === 'replace' || op === 'test') fields['value'] = patchValue(random);
  if (op === 'copy' || op === 'move') fields['from'] = random.pick(['/metadata/name', '/kind', '/spec/replicas']);
  return fields;
}
