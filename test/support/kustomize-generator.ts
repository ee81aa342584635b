// Owns random kustomizations: a base or two, overlays on top, components beside, every field in use. The objects in them
// are kustomize-objects.ts, the patches kustomize-patches.ts.
import {
  awkwardText,
  IMAGES,
  NAMES,
  NAMESPACES,
  type RandomObject,
  randomObject,
  writeYaml,
  type Yaml,
} from './kustomize-objects.ts';
import { addOddities } from './kustomize-oddities.ts';
import { type Context, mergePatch, patchEntry, selector, workloadOf } from './kustomize-patches.ts';
import { createChoices, type Random } from './seeded-choices.ts';

/** Files by path, and the directory to build. */
export interface RandomBuild {
  readonly files: ReadonlyMap<string, string>;
  readonly target: string;
}

type Fields = Record<string, Yaml>;

/** The build of a seed. */
export function randomBuild(seed: number): RandomBuild {
  const random = createChoices(seed);
  const files = new Map<string, string>();
  const objects: RandomObject[] = [];
  const layers = 1 + random.below(4);
  const bases = random.chance(0.3) ? ['base', 'base2'] : ['base'];
  for (const base of bases) writeKustomization(files, base, baseFields(files, base, objects, random), random);
  let below = bases;
  for (let layer = 1; layer < layers; layer++) {
    const folder = `layer${layer}`;
    const fields: Fields = { resources: below.map((path) => `../${path}`) };
    if (random.chance(0.2)) (fields['resources'] as Yaml[]).push(writeObjects(files, folder, objects, random, 1));
    addGenerators(files, folder, fields, random);
    if (random.chance(0.25)) addComponent(files, folder, fields, objects, random);
    addTransformers(files, folder, fields, objects, random);
    writeKustomization(files, folder, fields, random);
    below = [folder];
  }
  const target = below.length > 1 ? writeTop(files, below, random) : below[0]!;
  if (seed % 3 === 0) addOddities(files, random);
  return { files, target };
}

function writeTop(files: Map<string, string>, below: readonly string[], random: Random): string {
  writeKustomization(files, 'top', { resources: below.map((path) => `../${path}`) }, random);
  return 'top';
}

function writeKustomization(files: Map<string, string>, folder: string, fields: Fields, random: Random): void {
  const name = random.chance(0.9) ? 'kustomization.yaml' : random.pick(['kustomization.yml', 'Kustomization']);
  files.set(`${folder}/${name}`, `${writeYaml(fields, random).trimStart()}\n`);
}

function baseFields(files: Map<string, string>, folder: string, objects: RandomObject[], random: Random): Fields {
  const fields: Fields = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [writeObjects(files, folder, objects, random, 2 + random.below(5))],
  };
  addGenerators(files, folder, fields, random);
  addTransformers(files, folder, fields, objects, random);
  return fields;
}

function writeObjects(
  files: Map<string, string>,
  folder: string,
  objects: RandomObject[],
  random: Random,
  count: number,
): string {
  const ids = new Set<string>();
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const object = randomObject(random);
    const id = `${object.kind}/${object.name}/${object.namespace}`;
    if (ids.has(id)) continue;
    ids.add(id);
    objects.push(object);
    texts.push(`${random.chance(0.2) ? '# comment' : ''}${writeYaml(object.body, random)}`.trimStart());
  }
  const file = `objects${files.size}.yaml`;
  files.set(`${folder}/${file}`, `${texts.join(random.pick(['\n---\n', '\n--- # next\n']))}\n`);
  return file;
}

function addGenerators(files: Map<string, string>, folder: string, fields: Fields, random: Random): void {
  for (const field of ['configMapGenerator', 'secretGenerator']) {
    if (!random.chance(0.3)) continue;
    const literals = [`k=${awkwardText(random).replaceAll('\r', '')}`, 'z="quoted"'];
    const entry: Fields = { ...generatorName(files, folder, field, random), literals };
    if (random.chance(0.05)) entry['namespace'] = random.pick(['default', 'prod']);
    if (random.chance(0.3)) {
      files.set(`${folder}/data.txt`, `${awkwardText(random)}\n`);
      entry['files'] = random.pick([['data.txt'], ['renamed=data.txt']]);
    }
    if (random.chance(0.2)) {
      files.set(`${folder}/vars.env`, '# c\nA=1\n B = 2 \nC\n\nD=x=y\n');
      entry['envs'] = ['vars.env'];
    }
    if (random.chance(0.3))
      entry['options'] = {
        labels: { g: awkwardText(random) },
        disableNameSuffixHash: random.chance(0.5),
        immutable: random.chance(0.3),
      };
    fields[field] = [entry];
  }
  if (random.chance(0.1))
    fields['generatorOptions'] = {
      annotations: { gen: awkwardText(random) },
      disableNameSuffixHash: random.chance(0.3),
    };
}

/** A new name, or now and then one that a layer below generated already. */
function generatorName(files: Map<string, string>, folder: string, field: string, random: Random): Fields {
  const wild = random.chance(0.05);
  if (wild) return { name: random.pick(NAMES), behavior: random.pick(['create', 'merge', 'replace']) };
  const below = [...files.values()].flatMap((text) => [...text.matchAll(new RegExp(`name: "?'?(${field}-\\w+)`, 'g'))]);
  if (folder !== 'base2' && below.length > 0 && random.chance(0.6)) {
    return { name: below[0]![1]!, behavior: random.pick(['merge', 'replace']) };
  }
  return { name: `${field}-${folder}` };
}

function addComponent(
  files: Map<string, string>,
  folder: string,
  fields: Fields,
  objects: RandomObject[],
  random: Random,
): void {
  const component: Fields = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' };
  addTransformers(files, `${folder}-part`, component, objects, random);
  if (random.chance(0.3)) component['resources'] = [writeObjects(files, `${folder}-part`, objects, random, 1)];
  writeKustomization(files, `${folder}-part`, component, random);
  fields['components'] = [`../${folder}-part`];
}

type AddField = (fields: Fields, random: Random, context: Context) => void;

const TRANSFORMERS: readonly (readonly [probability: number, add: AddField])[] = [
  [
    0.3,
    (fields, random) => {
      fields['namePrefix'] = random.pick(['p-', 'dev-', 'a']);
    },
  ],
  [
    0.2,
    (fields, random) => {
      fields['nameSuffix'] = random.pick(['-s', '-v2']);
    },
  ],
  [
    0.3,
    (fields, random) => {
      fields['namespace'] = random.pick(['prod', 'team-a', 'default']);
    },
  ],
  [
    0.3,
    (fields, random) => {
      fields['labels'] = [labelEntry(random)];
    },
  ],
  [
    0.15,
    (fields, random) => {
      fields['commonLabels'] = { app: awkwardText(random), extra: 'v' };
    },
  ],
  [
    0.2,
    (fields, random) => {
      fields['commonAnnotations'] = { note: awkwardText(random), 'x/y': 'z' };
    },
  ],
  [
    0.3,
    (fields, random) => {
      fields['images'] = [imageEntry(random)];
    },
  ],
  [
    0.15,
    (fields, random, { objects }) => {
      const one = workloadOf(objects, random);
      if (one !== undefined) fields['replicas'] = [{ name: one.name, count: random.below(9) }];
    },
  ],
  [
    0.5,
    (fields, random, context) => {
      fields['patches'] = [patchEntry(random, context), patchEntry(random, context)].slice(random.below(2));
    },
  ],
  [
    0.15,
    (fields, random, context) => {
      fields['patchesStrategicMerge'] = [mergePatch(random, context)];
    },
  ],
  [
    0.25,
    (fields, random, { objects }) => {
      fields['replacements'] = [replacement(random, objects)];
    },
  ],
  [
    0.05,
    (fields, random) => {
      fields['sortOptions'] = random.pick<Yaml>([
        { order: 'fifo' },
        { order: 'legacy' },
        { order: 'legacy', legacySortOptions: { orderFirst: ['Service', 'Deployment'], orderLast: ['ConfigMap'] } },
      ]);
    },
  ],
  [
    0.1,
    (fields, random) => {
      fields['buildMetadata'] = random.some(['originAnnotations', 'transformerAnnotations', 'managedByLabel'], 0.6);
    },
  ],
  [
    0.08,
    (fields, random, { objects }) => {
      fields['vars'] = [variable(random, objects)];
    },
  ],
  [
    0.08,
    (fields, random) => {
      fields['transformers'] = [pluginText(random)];
    },
  ],
];

function addTransformers(
  files: Map<string, string>,
  folder: string,
  fields: Fields,
  objects: readonly RandomObject[],
  random: Random,
): void {
  for (const [probability, add] of TRANSFORMERS)
    if (random.chance(probability)) add(fields, random, { files, folder, objects });
}

function labelEntry(random: Random): Yaml {
  const entry: Fields = { pairs: { app: awkwardText(random), team: random.pick(NAMES) } };
  if (random.chance(0.4)) entry['includeSelectors'] = true;
  if (random.chance(0.3)) entry['includeTemplates'] = true;
  if (random.chance(0.2))
    entry['fields'] = [{ path: 'spec/nested/labels', kind: 'Widget', create: random.chance(0.7) }];
  return entry;
}

function imageEntry(random: Random): Yaml {
  const name = random.pick(IMAGES).replace(/[:@][^/]*$/, '');
  const entry: Fields = { name: random.chance(0.1) ? 'n.*x' : name };
  if (random.chance(0.5)) entry['newName'] = random.pick(['mirror/nginx', 'other:5000/x', 'busybox']);
  if (random.chance(0.5)) entry['newTag'] = random.pick(['v2', 'latest', '1.22-alpine']);
  if (random.chance(0.2)) entry['digest'] = 'sha256:deadbeef';
  if (random.chance(0.15)) entry['tagSuffix'] = '-x';
  return entry;
}

function replacement(random: Random, objects: readonly RandomObject[]): Yaml {
  const source = random.pick(objects);
  const wild = random.chance(0.08);
  const from: Fields = { kind: source.kind, name: source.name };
  if (source.namespace !== '') from['namespace'] = source.namespace;
  from['fieldPath'] = wild
    ? random.pick(['metadata.namespace', 'spec.replicas', 'data.a', 'metadata.labels'])
    : random.pick(['metadata.name', 'kind', 'apiVersion']);
  if (random.chance(0.15)) from['options'] = { delimiter: random.pick(['/', '-']), index: 0 };
  const target: Fields = { select: wild ? selector(random, objects) : { kind: random.pick(objects).kind } };
  const paths = [
    'metadata.annotations.copied',
    'metadata.labels.app',
    'extra.made.here',
    'metadata.annotations.[a.b/c]',
  ];
  if (wild)
    paths.push(
      'spec.template.spec.containers.*.image',
      'spec.list.0',
      'data.a',
      'spec.template.spec.containers.[name=main].env.[name=A].value',
    );
  target['fieldPaths'] = [random.pick(paths)];
  if (!wild || random.chance(0.5)) target['options'] = { create: true };
  if (random.chance(0.3))
    target['options'] = { create: true, delimiter: random.pick([':', '-', '/']), index: random.pick([0, 1, -1, 5]) };
  if (random.chance(0.2)) target['reject'] = [selector(random, objects)];
  if (random.chance(0.2)) return { sourceValue: awkwardText(random), targets: [target] };
  return { source: from, targets: [target] };
}

function variable(random: Random, objects: readonly RandomObject[]): Yaml {
  const { kind, apiVersion, name } = random.pick(objects);
  return {
    name: 'HOST',
    objref: { kind, apiVersion, name },
    fieldref: { fieldpath: random.chance(0.9) ? 'metadata.name' : 'spec.replicas' },
  };
}

function pluginText(random: Random): string {
  const specs = 'fieldSpecs:\n- path: metadata/annotations\n  create: true\n';
  return random.pick([
    `apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata:\n  name: x\nannotations:\n  plugged: "${random.below(9)}"\n${specs}`,
    'apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: x\nprefix: plug-\nfieldSpecs:\n- path: metadata/name\n',
    `apiVersion: builtin\nkind: NamespaceTransformer\nmetadata:\n  name: x\n  namespace: ${random.pick(NAMESPACES) || 'n'}\nunsetOnly: true\nsetRoleBindingSubjects: ${random.pick(['none', 'defaultOnly', 'allServiceAccounts'])}\n`,
    'apiVersion: builtin\nkind: ImageTagTransformer\nmetadata:\n  name: x\nimageTag:\n  name: nginx\n  newTag: plugged\n',
    'apiVersion: builtin\nkind: LabelTransformer\nmetadata:\n  name: x\nlabels:\n  lab: "on"\nfieldSpecs:\n- path: metadata/labels\n  create: true\n',
  ]);
}
