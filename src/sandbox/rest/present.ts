// Owns writing objects and lists in the form that the client asked for (negotiate.ts): as they are, as a Table, or
// metadata only.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { tableOf } from '../tables/table.ts';
import { wrongForm } from './errors.ts';
import type { Form } from './negotiate.ts';
import { type Presented, partialObject } from './partial.ts';

/** One object in a form. Throws ApiError 406 for the form of a list. */
export function presentObject(core: Core, form: Form, what: Presented, object: KubeObject): string {
  switch (form.as) {
    case 'table': {
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      return stringifyJson(tableOf(core, what, { objects: [object], metadata, version: form.version }));
    }
    case 'metadata':
      return stringifyJson(partialObject(object, form.version));
    case 'metadataList':
      throw wrongForm(what.resource, 'object');
    case 'object':
      return stringifyJson(object);
    default:
      return form.as satisfies never;
  }
}

/** A list in a form other than the objects themselves. Throws ApiError 406 for the form of one object. */
export function presentList(
  core: Core,
  form: Form,
  what: Presented,
  list: { objects: readonly KubeObject[]; metadata: Record<string, unknown> },
): string {
  if (form.as === 'table') return stringifyJson(tableOf(core, what, { ...list, version: form.version }));
  if (form.as === 'metadata') throw wrongForm(what.resource, 'list');
  return stringifyJson({
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${form.version}`,
    metadata: list.metadata,
    items: list.objects.map((object) => partialObject(object, form.version)),
  });
}
