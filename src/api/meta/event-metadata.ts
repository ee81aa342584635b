// Owns which annotations of an object go along with what is told of it.
import { eventMetadataPrefix } from './keys.ts';
import type { ObjectMeta } from './object.ts';

/** Annotations of an object that are copied into the metadata of all of its events (flux.md §1.1). */
export function inheritedEventMetadata({ annotations = {} }: Pick<ObjectMeta, 'annotations'>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(eventMetadataPrefix)));
}
