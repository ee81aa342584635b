// Owns what comes out of a build: each resource as JSON and as YAML, and the removal of the build's own annotations.

import { errorMessage } from '../../../lib/errors.ts';
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { isJsonObject, type JsonObject } from '../../../lib/json.ts';
import { wrapError } from '../errors.ts';
import { stringifyGoJson } from './go-json.ts';
import { formatGoMap } from './go-syntax.ts';
import { annotation, buildAnnotations, metadataMap, type Resource, setMetadataMap } from './resource.ts';
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
