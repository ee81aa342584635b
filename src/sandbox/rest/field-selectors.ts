// Owns field selectors: which fields each kind is selected by, parsing and matching. Pure.
import { type KubeObject, readPath } from '../object.ts';
import { badRequest } from './errors.ts';
import type { Matcher } from './selectors.ts';

/** What a kind is selected by. */
interface Selectable {
  readonly fields: readonly string[];
  /** @default the common message */
  readonly unknown?: (field: string) => string;
}

const NAME = 'metadata.name';
const PLACED = [NAME, 'metadata.namespace'];
const EVENT_SUBJECT = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

/** Fields of built-in kinds that have any of their own; by `group/plural`. Source: AddFieldLabelConversionFunc calls. */
const SELECTABLE: Readonly<Record<string, Selectable>> = {
  '/pods': {
    fields: [
      ...PLACED,
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'spec.hostNetwork',
      'status.phase',
      'status.podIP',
      'status.podIPs',
      'status.nominatedNodeName',
    ],
  },
  '/events': {
    fields: [
      ...PLACED,
      ...EVENT_SUBJECT.map((field) => `involvedObject.${field}`),
      'reason',
      'reportingComponent',
      'source',
      'type',
    ],
  },
  'events.k8s.io/events': {
    fields: [...PLACED, ...EVENT_SUBJECT.map((field) => `regarding.${field}`), 'reason', 'type', 'reportingController'],
  },
  '/secrets': { fields: [...PLACED, 'type'] },
  '/namespaces': { fields: [NAME, 'status.phase'] },
  '/nodes': { fields: [NAME, 'spec.unschedulable'] },
  '/services': { fields: [...PLACED, 'spec.clusterIP', 'spec.type'] },
  '/replicationcontrollers': { fields: [...PLACED, 'status.replicas'] },
  'batch/jobs': {
    fields: [...PLACED, 'status.successful'],
    unknown: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  },
  'certificates.k8s.io/certificatesigningrequests': { fields: [NAME, 'spec.signerName'] },
};

interface FieldTerm {
  readonly path: readonly string[];
  readonly equal: boolean;
  readonly value: string;
}

/** Matcher of a `fieldSelector` parameter; undefined when it selects all. Throws ApiError 400. */
export function fieldMatcher(
  text: string,
  resource: { readonly group: string; readonly plural: string },
  custom: readonly string[] | undefined,
): Matcher | undefined {
  const terms: FieldTerm[] = [];
  for (const part of splitTerms(text)) {
    if (part === '') continue;
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(part);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, field = '', operator, value = ''] = match;
    const wanted = unescapeValue(value);
    checkField(field, resource, custom);
    terms.push({ path: field.split('.'), equal: operator !== '!=', value: wanted });
  }
  if (terms.length === 0) return undefined;
  return (object) => terms.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}

/** The terms between commas; a backslash takes the next character with it. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function unescapeValue(value: string): string {
  let out = '';
  for (let at = 0; at < value.length; at++) {
    const character = value[at]!;
    if (character === '\\') {
      const escaped = value[++at] ?? '';
      if (!['\\', ',', '='].includes(escaped))
        throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`);
      out += escaped;
    } else if (character === ',' || character === '=') {
      throw badRequest(`invalid field selector: unescaped character in value: ${character.codePointAt(0)}`);
    } else out += character;
  }
  return out;
}

/** Kinds without selectors of their own say what the common ones are. */
function checkField(
  field: string,
  { group, plural }: { readonly group: string; readonly plural: string },
  custom: readonly string[] | undefined,
): void {
  const own = SELECTABLE[`${group}/${plural}`];
  if ((own?.fields ?? [...PLACED, ...(custom ?? [])]).includes(field)) return;
  if (own?.unknown) throw badRequest(own.unknown(field));
  if (own || custom) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

function fieldText(object: KubeObject, path: readonly string[]): string {
  const value = readPath(object, path);
  if (path.join('.') === 'spec.unschedulable' || path.join('.') === 'spec.hostNetwork') return String(value ?? false);
  return value === undefined || value === null ? '' : String(value);
}
