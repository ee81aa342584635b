// Owns showing one stored object in another served version. Custom resources change apiVersion and follow the version's
// schema (strategy None);
// the few built-in kinds whose versions differ have a row in the table. Pure.
import { cloneObject, equalJson, type KubeObject } from '../object.ts';
import { apiVersionOf, parseApiVersion, type Resource, type ServedVersion } from '../registry.ts';
import { pruneCustom } from '../schema/decode.ts';
import { applySchemaDefaults } from '../schema/defaults.ts';
import type { SchemaNode } from '../schema/node.ts';
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
  if (resource.custom) return customVersion(resource, version, object);
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
  if (isScaler(resource)) return { ...scalerToV1(object), apiVersion: wanted };
  return { ...object, apiVersion: wanted };
}

/** Objects that were shown in a version already, by the version's schema: an object is stored once and shown often. */
const shown = new WeakMap<SchemaNode, WeakMap<KubeObject, KubeObject>>();

/** A custom object in a version: with the defaults of the stored version, without what the wanted one does not know. */
function customVersion(resource: Resource, version: ServedVersion, object: KubeObject): KubeObject {
  const wanted = apiVersionOf(resource.group, version.name);
  const stored = resource.versions.get(resource.storageVersion)?.schema;
  const needsDefaults = stored !== undefined && hasDefaults(stored);
  if (object.apiVersion === wanted && !needsDefaults) return object;
  let known = shown.get(version.schema);
  if (known === undefined) shown.set(version.schema, (known = new WeakMap()));
  const before = known.get(object);
  if (before !== undefined) return before;
  let next = object;
  if (needsDefaults) {
    const whole = cloneObject({ ...object, metadata: {} }) as unknown as KubeObject;
    applySchemaDefaults(stored, whole);
    next = { ...whole, metadata: object.metadata };
    if (equalJson(next, object)) next = object;
  }
  if (object.apiVersion !== wanted) {
    const pruned = pruneCustom(version.schema, { ...next, metadata: {} }, { unknown: [] }) as KubeObject;
    next = { ...pruned, apiVersion: wanted, metadata: object.metadata };
  }
  known.set(object, next);
  return next;
}

const defaulted = new WeakMap<SchemaNode, boolean>();

function hasDefaults(schema: SchemaNode): boolean {
  let known = defaulted.get(schema);
  if (known === undefined) defaulted.set(schema, (known = JSON.stringify(schema.raw).includes('"default":')));
  return known;
}

/** Between the versions of a kind that differ by more than their name; undefined for the others. */
export function converterOf(resource: Resource): ((object: unknown, apiVersion: string) => unknown) | undefined {
  if (!isScaler(resource)) return undefined;
  return (object, apiVersion) => {
    const version = resource.versions.get(parseApiVersion(apiVersion).version);
    const given = object as KubeObject;
    if (version === undefined || given.apiVersion === apiVersion) return object;
    const { metadata = {} } = given as { metadata?: object };
    return toVersion(resource, version, toStorage(resource, { ...given, metadata } as KubeObject));
  };
}

/** The object as it comes back in its version: without what the stored form does not carry. */
export function inOwnVersion(resource: Resource, version: ServedVersion, object: KubeObject): KubeObject {
  if (!isScaler(resource) || version.name === resource.storageVersion) return object;
  return toVersion(resource, version, toStorage(resource, object));
}

function isScaler({ kind, custom }: Resource): boolean {
  return kind === 'HorizontalPodAutoscaler' && !custom;
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
  if (isScaler(resource)) return { ...scalerToV2(object), apiVersion: wanted };
  return { ...object, apiVersion: wanted };
}
