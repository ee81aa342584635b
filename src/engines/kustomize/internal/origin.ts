// Owns the records of where resources came from and what changed them (`buildMetadata`).
import { posix } from 'node:path';
import { valueToNode } from '../../../lib/goyaml/value.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import { parseRepoUrl } from './repo-url.ts';
import {
  annotation,
  annotationOf,
  apiVersionTextOf,
  kindOf,
  metadataMap,
  nameOf,
  namespaceOf,
  type Resource,
  setMetadataMap,
} from './resource.ts';
import { nodeText, readYamlValue } from './yaml.ts';

/** Where something came from; '' where not known. */
export interface Origin {
  readonly path: string;
  readonly repo: string;
  readonly ref: string;
  readonly configuredIn: string;
  readonly configuredBy: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace: string;
  };
}

const NOBODY = { apiVersion: '', kind: '', name: '', namespace: '' };

export const emptyOrigin: Origin = { path: '', repo: '', ref: '', configuredIn: '', configuredBy: NOBODY };

/** The origin of something named by a kustomization whose own origin is known. */
export function appendOrigin(origin: Origin, path: string): Origin {
  const repo = parseRepoUrl(path);
  if (repo === undefined) return { ...origin, path: joinPath(origin.path, path) };
  return { ...origin, repo: repo.cloneUrl, ref: repo.ref, path: joinPath('', repo.path) };
}

/** Go's filepath.Join: two empty parts make an empty path. */
function joinPath(a: string, b: string): string {
  return a === '' && b === '' ? '' : posix.join(a, b);
}

/** The origin of what a built-in generator or transformer of a kustomization made. */
export function builtinOrigin(origin: Origin, kustomizationFile: string, kind: string): Origin {
  return {
    ...emptyOrigin,
    repo: origin.repo,
    ref: origin.ref,
    configuredIn: joinPath(origin.path, kustomizationFile),
    configuredBy: { ...NOBODY, apiVersion: 'builtin', kind },
  };
}

/** The origin of what a plugin file made; undefined when the file's own origin is not recorded. */
export function pluginOrigin(plugin: Resource): Origin | undefined {
  const own = readOrigin(plugin);
  if (own === undefined) return undefined;
  const { node } = plugin;
  return {
    ...emptyOrigin,
    repo: own.repo,
    ref: own.ref,
    configuredIn: own.path,
    configuredBy: {
      apiVersion: apiVersionTextOf(node),
      kind: kindOf(node),
      name: nameOf(node),
      namespace: namespaceOf(node),
    },
  };
}

/** What a value looks like in the record: empty parts are left out. */
function toValue(origin: Origin): JsonObject {
  const pick = (source: object): JsonObject =>
    Object.fromEntries(
      Object.entries(source).filter(([, value]) => typeof value === 'string' && value !== ''),
    ) as JsonObject;
  const { configuredBy, ...own } = origin;
  const by = pick(configuredBy);
  return Object.keys(by).length === 0 ? pick(own) : { ...pick(own), configuredBy: by };
}

function toText(value: JsonValue): string {
  return nodeText(valueToNode(value, { sortKeys: false }));
}

/** The record as YAML. */
export function formatOrigin(origin: Origin): string {
  return toText(toValue(origin));
}

function toOrigin(value: JsonValue): Origin {
  const text = (source: JsonValue | undefined, key: string): string => {
    const found = isJsonObject(source) ? source[key] : undefined;
    return typeof found === 'string' ? found : '';
  };
  const by = isJsonObject(value) ? value['configuredBy'] : undefined;
  return {
    path: text(value, 'path'),
    repo: text(value, 'repo'),
    ref: text(value, 'ref'),
    configuredIn: text(value, 'configuredIn'),
    configuredBy: {
      apiVersion: text(by, 'apiVersion'),
      kind: text(by, 'kind'),
      name: text(by, 'name'),
      namespace: text(by, 'namespace'),
    },
  };
}

/** The recorded origin of a resource. */
export function readOrigin(resource: Resource): Origin | undefined {
  const text = annotationOf(resource.node, annotation.origin);
  return text === undefined ? undefined : toOrigin(readYamlValue(text, false));
}

/** Records the origin of a resource. */
export function setOrigin(resource: Resource, origin: Origin): void {
  setAnnotation(resource, annotation.origin, formatOrigin(origin));
}

function setAnnotation(resource: Resource, key: string, value: string): void {
  const annotations = metadataMap(resource.node, 'annotations');
  annotations.set(key, value);
  setMetadataMap(resource.node!, 'annotations', annotations);
}

/** Records that a transformer ran; without an origin the transformer counts as the maker. */
export function recordTransformation(resource: Resource, origin: Origin): void {
  if (readOrigin(resource) === undefined) {
    setOrigin(resource, origin);
    return;
  }
  const text = annotationOf(resource.node, annotation.transformations);
  const value = text === undefined ? [] : readYamlValue(text, false);
  const earlier = Array.isArray(value) ? value.map((item: JsonValue) => toOrigin(item)) : [];
  setAnnotation(resource, annotation.transformations, toText([...earlier, origin].map(toValue)));
}
