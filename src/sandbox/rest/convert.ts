// Owns showing one stored object in another served version. Custom resources change apiVersion alone (strategy None);
// the few built-in kinds whose versions differ have a row in the table. Pure.
import type { KubeObject } from '../object.ts';
import { apiVersionOf, type Resource, type ServedVersion } from '../registry.ts';
import { scalerToV1, scalerToV2 } from './convert-scaler.ts';

/** How the fields of one kind's version are named in another: moved top-level fields. */
interface FieldMove {
  readonly stored: string;
  readonly shown: string;
}

/** events.k8s.io/v1 shows core/v1 events under other names. */
const EVENT_MOVES: readonly FieldMove[] = [
  { stored: 'involvedObject', shown: 'regarding' },
  { stored: 'message', shown: 'note' },
  { stored: 'source', shown: 'deprecatedSource' },
  { stored: 'firstTimestamp', shown: 'deprecatedFirstTimestamp' },
  { stored: 'lastTimestamp', shown: 'deprecatedLastTimestamp' },
  { stored: 'count', shown: 'deprecatedCount' },
  { stored: 'reportingComponent', shown: 'reportingController' },
];

const MOVES: Readonly<
  Record<
    string,
    { readonly storedApiVersion: string; readonly moves: readonly FieldMove[]; readonly optional: readonly string[] }
  >
> = {
  'events.k8s.io/events': {
    storedApiVersion: 'v1',
    moves: EVENT_MOVES,
    optional: ['reportingController', 'reportingInstance'],
  },
};

function renameFields(object: KubeObject, moves: readonly { from: string; to: string }[]): KubeObject {
  const out: KubeObject = { ...object };
  for (const { from } of moves) delete out[from];
  for (const { from, to } of moves) if (Object.hasOwn(object, from)) out[to] = object[from];
  return out;
}

/** The object as the version shows it; the same object when nothing differs. */
export function toVersion(resource: Resource, version: ServedVersion, object: KubeObject): KubeObject {
  const wanted = apiVersionOf(resource.group, version.name);
  if (object.apiVersion === wanted) return object;
  const moved = MOVES[`${resource.group}/${resource.plural}`];
  if (moved) {
    const renamed = renameFields(
      object,
      moved.moves.map(({ stored, shown }) => ({ from: stored, to: shown })),
    );
    // What is empty in the stored form is left out in this one.
    for (const field of moved.optional) if (renamed[field] === '') delete renamed[field];
    return { ...renamed, apiVersion: wanted };
  }
  if (resource.kind === 'HorizontalPodAutoscaler' && !resource.custom)
    return { ...scalerToV1(object), apiVersion: wanted };
  return { ...object, apiVersion: wanted };
}

/** The object as it is stored. */
export function toStorage(resource: Resource, object: KubeObject): KubeObject {
  const moved = MOVES[`${resource.group}/${resource.plural}`];
  if (moved) {
    const renamed = renameFields(
      object,
      moved.moves.map(({ stored, shown }) => ({ from: shown, to: stored })),
    );
    return { ...renamed, apiVersion: moved.storedApiVersion };
  }
  const wanted = apiVersionOf(resource.group, resource.storageVersion);
  if (object.apiVersion === wanted) return object;
  if (resource.kind === 'HorizontalPodAutoscaler' && !resource.custom)
    return { ...scalerToV2(object), apiVersion: wanted };
  return { ...object, apiVersion: wanted };
}
