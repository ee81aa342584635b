// Owns fields that the API server derives from others of the same object, whatever the client sent. Whoever makes the
// write owns them. Pure.
import { equalJson, isRecord, type KubeObject, readPath, setKey } from '../object.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

type Derive = (next: KubeObject, live: KubeObject | undefined) => KubeObject;

/** By `group/Kind`. */
const DERIVED: Readonly<Record<string, Derive>> = {
  '/Secret': encodeTexts,
  'apps/DaemonSet': countTemplates,
};

/** The object with its derived fields; itself when its kind has none. */
export function derive(group: string, next: KubeObject, live?: KubeObject): KubeObject {
  const id = `${group}/${next.kind}`;
  return Object.hasOwn(DERIVED, id) ? DERIVED[id]!(next, live) : next;
}

/** The texts of a Secret are written to be read as data. */
function encodeTexts(next: KubeObject): KubeObject {
  const { stringData, ...rest } = next;
  if (!isRecord(stringData)) return next;
  const data: Record<string, unknown> = { ...(isRecord(next['data']) ? next['data'] : {}) };
  for (const [key, value] of Object.entries(stringData)) {
    setKey(data, key, Buffer.from(String(value), 'utf8').toString('base64'));
  }
  return { ...rest, data } as KubeObject;
}

/** A DaemonSet counts the changes of its template in an annotation, from 1. */
function countTemplates(next: KubeObject, live: KubeObject | undefined): KubeObject {
  const template = ['spec', 'template'];
  const before = Number((live ?? next).metadata.annotations?.[TEMPLATE_GENERATION] ?? 1);
  const start = Number.isInteger(before) && before > 0 ? before : 1;
  const changed = live !== undefined && !equalJson(readPath(live, template), readPath(next, template));
  const annotations = { ...next.metadata.annotations, [TEMPLATE_GENERATION]: String(changed ? start + 1 : start) };
  return { ...next, metadata: { ...next.metadata, annotations } };
}
