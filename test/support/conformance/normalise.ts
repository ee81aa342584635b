// Owns what is another in every run of a conformance case, and what stands in its place: uids and resource versions
// are numbered as they are met, so that it still shows which are equal. Pure, but for what a `Run` remembers.

/** What has been met so far in one case. */
export interface Run {
  readonly namespace: string;
  readonly uids: Map<string, string>;
  readonly versions: Map<string, string>;
  /** Names that were to be generated, by their prefix. */
  readonly generated: RegExp[];
  /** Times near this are the server's own; others are the case's. */
  readonly startMs: number;
}

export function createRun(namespace: string, startMs: number): Run {
  return { namespace, uids: new Map(), versions: new Map(), generated: [], startMs };
}

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const SUFFIX = '[bcdfghjklmnpqrstvwxz2456789]{5}';
/** Addresses of Services. */
const ADDRESS = /\b10\.96\.\d+\.\d+\b/g;
const HOUR_MS = 3_600_000;

/** Notes the prefix of a name that the server is to make up. */
export function notePrefix(run: Run, body: unknown): void {
  const prefix = (body as { metadata?: { generateName?: string } } | undefined)?.metadata?.generateName;
  if (prefix !== undefined) run.generated.push(new RegExp(`(${prefix.slice(0, 58)})(${SUFFIX})\\b`, 'g'));
}

/** A body with sorted keys and placeholders. */
export function normaliseBody(run: Run, value: unknown): unknown {
  if (typeof value === 'string') return text(run, value);
  if (Array.isArray(value)) return value.map((item) => normaliseBody(run, item));
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  if (fields['reason'] === 'Conflict')
    return { ...normaliseFields(run, fields), details: byOwner(normaliseBody(run, fields['details'])) };
  return normaliseFields(run, fields);
}

/** The real server goes through the owners of a conflict in the order of a Go map, which is chance. */
function byOwner(details: unknown): unknown {
  const { causes, ...rest } = (details ?? {}) as { causes?: readonly { message: string }[] };
  return causes === undefined
    ? rest
    : { causes: [...causes].sort((a, b) => (a.message < b.message ? -1 : Number(a.message > b.message))), ...rest };
}

function normaliseFields(run: Run, fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(fields).sort()) {
    const value = key === 'rules' ? withoutOurs(fields[key]) : fields[key];
    out[text(run, key)] = key === 'metadata' ? metadata(run, fields, value) : normaliseBody(run, value);
  }
  return out;
}

/** A server's own roles gather the rules for our kinds, too, once a suite beside this one has installed us. */
function withoutOurs(rules: unknown): unknown {
  if (!Array.isArray(rules)) return rules;
  return rules.filter((rule) => !rule?.apiGroups?.some?.((group: unknown) => String(group).endsWith('.fluxcd.io')));
}

function metadata(run: Run, owner: Record<string, unknown>, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return normaliseBody(run, value);
  const { resourceVersion, continue: token, managedFields, ...rest } = value as Record<string, unknown>;
  // A list's version, and a bookmark's, moves with whatever else the server stores; an object's alone is the object's.
  const shared = 'items' in owner || 'rows' in owner || !('name' in rest);
  const out = normaliseBody(run, rest) as Record<string, unknown>;
  if (token !== undefined && token !== '') out['continue'] = 'CONTINUE';
  if (managedFields !== undefined) out['managedFields'] = inOrder(normaliseBody(run, managedFields));
  if (resourceVersion !== undefined) {
    out['resourceVersion'] = shared ? 'RV' : label(run.versions, 'RV', String(resourceVersion));
  }
  return out;
}

/** Entries come by time, to the second: which is first is chance where two are written in one second. */
function inOrder(entries: unknown): unknown {
  if (!Array.isArray(entries)) return entries;
  const keyOf = ({ operation, manager, subresource, apiVersion }: Record<string, string>): string =>
    [operation, manager, subresource, apiVersion].join(' ');
  return [...entries].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function text(run: Run, value: string): string {
  let out = value
    .replaceAll(run.namespace, 'NAMESPACE')
    .replace(UID, (uid) => label(run.uids, 'UID', uid))
    .replace(TIME, (time, fraction) => {
      if (Math.abs(Date.parse(time) - run.startMs) > HOUR_MS) return time;
      return fraction === undefined ? 'TIME' : 'MICROTIME';
    })
    .replace(ADDRESS, 'ADDRESS');
  for (const pattern of run.generated) out = out.replace(pattern, '$1SUFFIX');
  if (/resource ?version/i.test(out)) out = out.replace(/\b\d+\b/g, (number) => run.versions.get(number) ?? number);
  return out;
}

function label(labels: Map<string, string>, kind: string, value: string): string {
  const known = labels.get(value);
  if (known !== undefined) return known;
  const fresh = `${kind}${labels.size + 1}`;
  labels.set(value, fresh);
  return fresh;
}
