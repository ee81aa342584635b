// Owns what comes out of a build: each resource as JSON and as YAML, and the removal of the build's own annotations.

import { errorMessage } from '../../../lib/errors.ts';
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { wrapError } from '../errors.ts';
import { stringifyGoJson } from './go-json.ts';
import { formatGoMap } from './go-syntax.ts';
import { effectiveNamespace } from './resid.ts';
import { annotation, buildAnnotations, currentId, metadataMap, type Resource, setMetadataMap } from './resource.ts';
import { nodeToJson, writeYamlValue } from './yaml.ts';

/** A resource as JSON. Throws with the reference's text when it has no JSON form. */
export function resourceToJson(resource: Resource): JsonObject {
  if (resource.node === undefined) return {};
  const value = nodeToJson(resource.node);
  return isJsonObject(value) ? value : {};
}

/** A resource as YAML text: keys sorted, no comments. */
export function resourceToYaml(resource: Resource): string {
  return writeYamlValue(resourceToJson(resource));
}

/** The JSON text of a resource as error messages show it. */
export function resourceJsonText(resource: Resource): string {
  try {
    return stringifyGoJson(resourceToJson(resource));
  } catch (error) {
    return `<${errorMessage(error)}>`;
  }
}

/** All resources as one YAML stream. */
export function writeStream(resources: readonly Resource[]): string {
  const documents = resources.map((resource) => {
    try {
      return resourceToYaml(resource);
    } catch (error) {
      throw wrapError(error, resource.node === undefined ? 'map[string]interface {}{}' : formatGoMap(resource.node));
    }
  });
  return documents.join('---\n');
}

/** YAML of each resource by a file name of its type and name; the namespace is part of it when there are several. */
export function writeFiles(resources: readonly Resource[]): ReadonlyMap<string, string> {
  const rows = resources.map((resource) => ({ resource, id: currentId(resource) }));
  const namespaces = new Set(rows.filter(({ id }) => !id.clusterScoped).map(({ id }) => effectiveNamespace(id)));
  const files = new Map<string, string>();
  for (const { resource, id } of rows) {
    const type = [id.group, id.version, id.kind].filter((part) => part !== '').join('_');
    const name = `${type}_${id.name}.yaml`.toLowerCase();
    const prefix = namespaces.size > 1 && !id.clusterScoped ? `${effectiveNamespace(id).toLowerCase()}_` : '';
    files.set(prefix + name, resourceToYaml(resource));
  }
  return files;
}

/** Takes the build's own annotations out, and the records of origin that were not asked for. */
export function stripAnnotations(
  node: YamlNode,
  keep: { readonly origin: boolean; readonly transformations: boolean },
): void {
  const annotations = metadataMap(node, 'annotations');
  const before = annotations.size;
  for (const key of buildAnnotations) annotations.delete(key);
  if (!keep.origin) annotations.delete(annotation.origin);
  if (!keep.transformations) annotations.delete(annotation.transformations);
  // The rewriting has side effects that show: values become strings, empty annotations go, metadata appears.
  if (keep.origin && keep.transformations && before === 0) return;
  setMetadataMap(node, 'annotations', annotations);
}
