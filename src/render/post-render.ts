// Owns what happens to a chart's output between its templates and its sorting, as Helm 4 and Flux have it (helm.md §16,
// §21.7): one stream of documents that know their file, kustomize over it, common metadata, and files again.

import { HelmError, wrapError } from '../engines/helm/errors.ts';
import { sortManifests, splitManifests } from '../engines/helm/manifests.ts';
import { buildKustomization } from '../engines/kustomize/build.ts';
import { compareStrings } from '../lang/gotemplate/value.ts';
import { errorMessage } from '../lib/errors.ts';
import { emitDocuments } from '../lib/goyaml/emit.ts';
import { createNode, type YamlNode } from '../lib/goyaml/node.ts';
import { parseDocuments } from '../lib/goyaml/parse.ts';
import { nodeToValue, textToNode, valueToNode } from '../lib/goyaml/value.ts';
import { type JsonObject, stringifyJson } from '../lib/json.ts';
import { createMemoryTree } from '../lib/memory-tree.ts';

/** `postRenderers[].kustomize` of a HelmRelease: fields of a kustomization file. */
export interface KustomizePostRenderer {
  readonly patches?: readonly JsonObject[];
  readonly images?: readonly JsonObject[];
  /** v2beta2. */
  readonly patchesStrategicMerge?: readonly JsonObject[];
  /** v2beta2: `patch` is a list of operations. */
  readonly patchesJson6902?: readonly JsonObject[];
}

/** What is done to the output of a chart, in this order. */
export interface PostRender {
  readonly renderers: readonly { readonly kustomize?: KustomizePostRenderer }[];
  readonly commonMetadata?: Metadata;
  /** Labels that say which object these came from; they win over all others. */
  readonly originLabels?: Readonly<Record<string, string>>;
  /** What of the output takes part: all at once, all but hooks, or hooks and the rest on their own. @default 'combined' */
  readonly strategy?: 'combined' | 'nohooks' | 'separate';
}

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Rendered files, text by path. */
export type RenderedFiles = ReadonlyMap<string, string>;

const FILE_ANNOTATION = 'postrenderer.helm.sh/postrender-filename';

/** Renders the files again, in Helm 4's way. Throws HelmError `ManifestInvalid`, or `PostRenderFailed`. */
export function postRender(files: RenderedFiles, wanted: PostRender, warn: (text: string) => void): RenderedFiles {
  const strategy = wanted.strategy ?? 'combined';
  if (strategy === 'combined') return renderGroup(files, wanted, '');
  const { manifests, hooks } = sortManifests(files, { compat: 'helm4', warn });
  const result = new Map<string, string>();
  const groups = [
    { name: 'hooks', files: gather(hooks), isRendered: strategy === 'separate' },
    { name: 'manifests', files: gather(manifests), isRendered: true },
  ];
  for (const group of groups) {
    if (group.files.size === 0) continue;
    const rendered = group.isRendered ? renderGroup(group.files, wanted, group.name) : group.files;
    for (const [path, text] of rendered) append(result, path, text);
  }
  return result;
}

function gather(documents: readonly { readonly path: string; readonly text: string }[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const { path, text } of documents) append(files, path, text);
  return files;
}

function append(files: Map<string, string>, path: string, text: string): void {
  const before = files.get(path);
  files.set(path, before === undefined ? text : `${before}\n---\n${text}`);
}

function renderGroup(files: RenderedFiles, wanted: PostRender, group: string): RenderedFiles {
  const what = (text: string, other: string) => (group === '' ? text : other);
  const merged = failing(what('error merging manifests', `error merging ${group}`), () => merge(files));
  const doing = what('error while running post render on files', `error while running post render on ${group}`);
  const rendered = failing(doing, () => runRenderers(merged, wanted));
  const parsing = what(
    'error while parsing post rendered output',
    `error while parsing post rendered output for ${group}`,
  );
  return failing(parsing, () => split(rendered, group === '' ? '' : `${group}-`));
}

function failing<T>(prefix: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof HelmError ? error : wrapError('PostRenderFailed', prefix, error);
  }
}

/** One stream of all documents, each with its file's path as an annotation. */
function merge(files: RenderedFiles): string {
  const documents: YamlNode[] = [];
  for (const path of [...files.keys()].sort(compareStrings)) {
    if (path.slice(path.lastIndexOf('/') + 1).startsWith('_')) continue;
    for (const text of splitManifests(files.get(path)!, 'helm4')) {
      for (const node of parseAs(path, text).flatMap(unwrapList)) {
        setFileAnnotation(node, path);
        documents.push(node);
      }
    }
  }
  return emit(documents);
}

function parseAs(path: string, text: string): YamlNode[] {
  try {
    return roots(text);
  } catch (error) {
    throw new Error(`parsing ${path}: MalformedYAMLError: ${errorMessage(error)}`, { cause: error });
  }
}

/** The documents of a stream that hold something. */
function roots(text: string): YamlNode[] {
  return parseDocuments(text)
    .map((node) => (node.kind === 'document' ? node.content[0] : node))
    .filter((node) => node !== undefined)
    .filter((node) => !(node.kind === 'scalar' && node.tag === '!!null'));
}

/** The items of a List as documents of their own; their aliases, which may lead from one to the other, written out. */
function unwrapList(node: YamlNode): YamlNode[] {
  const kind = field(node, 'kind')?.value;
  const items = field(node, 'items');
  if ((kind !== 'List' && kind !== 'ResourceList') || items?.kind !== 'sequence') return [node];
  return items.content.map((item) => valueToNode(nodeToValue(item)));
}

function field(node: YamlNode | undefined, name: string): YamlNode | undefined {
  if (node?.kind !== 'mapping') return undefined;
  const at = node.content.findIndex((key, index) => index % 2 === 0 && key.value === name);
  return at < 0 ? undefined : node.content[at + 1];
}

function setFileAnnotation(node: YamlNode, path: string): void {
  if (node.kind !== 'mapping') throw new Error(`annotating ${path}: wrong Node Kind for  expected: MappingNode`);
  const annotations = fieldMap(fieldMap(node, 'metadata'), 'annotations');
  dropField(annotations, FILE_ANNOTATION);
  annotations.content.push(textToNode(FILE_ANNOTATION), textToNode(path));
}

/** The mapping below a field, made where there is none. */
function fieldMap(node: YamlNode, name: string): YamlNode {
  const found = field(node, name);
  if (found?.kind === 'mapping') return found;
  dropField(node, name);
  const made = createNode('mapping', '!!map');
  node.content.push(textToNode(name), made);
  return made;
}

function dropField(node: YamlNode, name: string): YamlNode | undefined {
  const at = node.content.findIndex((key, index) => index % 2 === 0 && key.value === name);
  return at < 0 ? undefined : node.content.splice(at, 2)[1];
}

function emit(nodes: readonly YamlNode[]): string {
  return emitDocuments(nodes, { indent: 2, sequenceStyle: 'compact' });
}

function runRenderers(stream: string, { renderers, commonMetadata, originLabels }: PostRender): string {
  let result = stream;
  for (const { kustomize } of renderers) if (kustomize !== undefined) result = build(result, fileOf(kustomize));
  for (const metadata of [commonMetadata, originLabels === undefined ? undefined : { labels: originLabels }]) {
    if (metadata === undefined) continue;
    const transformers = transformersOf(metadata);
    if (transformers.length > 0) result = build(result, { transformers });
  }
  return result;
}

function fileOf(renderer: KustomizePostRenderer): JsonObject {
  const { patches = [], images = [], patchesStrategicMerge = [], patchesJson6902 = [] } = renderer;
  return {
    patches,
    images,
    patchesStrategicMerge: patchesStrategicMerge.map((patch) => stringifyJson(patch)),
    patchesJson6902: patchesJson6902.map((item) => ({ ...item, patch: stringifyJson(item['patch'] ?? []) })),
  };
}

/** Labels and annotations of the objects themselves, and of nothing inside them. */
function transformersOf({ labels, annotations }: Metadata): string[] {
  const transformer = (kind: string, name: 'labels' | 'annotations', values: Readonly<Record<string, string>>) =>
    stringifyJson({
      apiVersion: 'builtin',
      kind,
      metadata: { name },
      [name]: values,
      fieldSpecs: [{ path: `metadata/${name}`, create: true }],
    });
  return [
    ...(labels === undefined ? [] : [transformer('LabelTransformer', 'labels', labels)]),
    ...(annotations === undefined ? [] : [transformer('AnnotationsTransformer', 'annotations', annotations)]),
  ];
}

function build(stream: string, file: JsonObject): string {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['helm-output.yaml'],
    ...file,
  };
  const tree = createMemoryTree({ 'kustomization.yaml': stringifyJson(kustomization), 'helm-output.yaml': stream });
  const built = buildKustomization(tree, '/', { loadRestrictions: 'none', reorder: 'none' });
  if (!built.ok) throw new Error('patches of post renderers must be local');
  return built.yaml();
}

/** The stream as files again, by the annotation that each document still carries. */
function split(stream: string, prefix: string): RenderedFiles {
  const byFile = new Map<string, YamlNode[]>();
  for (const [index, node] of roots(stream).entries()) {
    const path = takeFileAnnotation(node) ?? `generated-by-postrender-${prefix}${index}.yaml`;
    const siblings = byFile.get(path);
    if (siblings === undefined) byFile.set(path, [node]);
    else siblings.push(node);
  }
  return new Map([...byFile].map(([path, nodes]) => [path, emit(nodes)]));
}

function takeFileAnnotation(node: YamlNode): string | undefined {
  const metadata = field(node, 'metadata');
  const annotations = field(metadata, 'annotations');
  if (annotations?.kind !== 'mapping') return undefined;
  const taken = dropField(annotations, FILE_ANNOTATION);
  if (annotations.content.length === 0) dropField(metadata!, 'annotations');
  if (metadata!.content.length === 0) dropField(node, 'metadata');
  return taken?.value || undefined;
}
