// Owns label and field selectors: parsing and matching. Pure.
import { type KubeObject, readPath } from '../object.ts';
import { type ApiError, badRequest } from './errors.ts';
import { keyProblems, valueProblems } from './names.ts';

interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  readonly values: readonly string[];
}

/** True for objects that a list or watch shows. */
export type Matcher = (object: KubeObject) => boolean;

const TOKEN = /\s*(,|\(|\)|==|=|!=|!|>|<|[^\s,()=!<>]+|$)/y;

/** Reads a label selector token by token, with the API server's messages. */
class SelectorReader {
  private readonly text: string;
  private at = 0;
  private ahead: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** The next token without taking it; '' at the end. */
  peek(): string {
    if (this.ahead === undefined) {
      TOKEN.lastIndex = this.at;
      this.ahead = TOKEN.exec(this.text)?.[1] ?? '';
      this.at = TOKEN.lastIndex;
    }
    return this.ahead;
  }

  take(): string {
    const token = this.peek();
    this.ahead = undefined;
    return token;
  }
}

function fail(found: string, expected: string): ApiError {
  return badRequest(`unable to parse requirement: found '${found}', expected: ${expected}`);
}

const PUNCTUATION = new Set([',', '(', ')', '=', '==', '!=', '!', '>', '<', '']);

function parseLabelSelector(text: string): Requirement[] {
  const reader = new SelectorReader(text);
  const requirements: Requirement[] = [];
  while (reader.peek() !== '') {
    const requirement = parseRequirement(reader);
    checkRequirement(requirement);
    requirements.push(requirement);
    const next = reader.take();
    if (next === '') break;
    if (next !== ',') throw fail(next, "',' or 'end of string'");
    const after = reader.peek();
    if (after === '') throw fail('', "identifier after ','");
  }
  return requirements;
}

function parseRequirement(reader: SelectorReader): Requirement {
  const first = reader.take();
  const absent = first === '!';
  const key = absent ? reader.take() : first;
  if (PUNCTUATION.has(key)) throw fail(key, absent ? 'identifier' : "!, identifier, or 'end of string'");
  const next = reader.peek();
  if (absent || next === '' || next === ',') return { key, operator: absent ? '!' : 'exists', values: [] };
  const operator = reader.take();
  switch (operator) {
    case '=':
    case '==':
    case '!=':
      return { key, operator: operator === '!=' ? '!=' : '=', values: [parseValue(reader)] };
    case '>':
    case '<':
      return { key, operator, values: [parseValue(reader)] };
    case 'in':
    case 'notin':
      return { key, operator, values: parseValues(reader) };
    default:
      throw fail(operator, 'in, notin, =, ==, !=, gt, lt');
  }
}

function parseValue(reader: SelectorReader): string {
  const token = reader.peek();
  if (token === '' || token === ',') return '';
  if (PUNCTUATION.has(token)) throw fail(token, 'identifier');
  return reader.take();
}

function parseValues(reader: SelectorReader): string[] {
  const open = reader.take();
  if (open !== '(') throw fail(open, "'('");
  const values: string[] = [];
  let value = '';
  for (;;) {
    const token = reader.take();
    if (token === ',' || token === ')') {
      values.push(value);
      value = '';
      if (token === ')') return values;
    } else if (value !== '' || PUNCTUATION.has(token)) throw fail(token, "',' or ')'");
    else value = token;
  }
}

function checkRequirement({ key, values }: Requirement): void {
  const [problem] = keyProblems(key);
  if (problem !== undefined)
    throw badRequest(`unable to parse requirement: <nil>: Invalid value: ${JSON.stringify(key)}: ${problem}`);
  for (const [i, value] of values.entries()) {
    const [wrong] = valueProblems(value);
    if (wrong !== undefined)
      throw badRequest(
        `unable to parse requirement: values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong}`,
      );
  }
}

function meets(requirement: Requirement, value: string | undefined): boolean {
  const { operator, values } = requirement;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '=':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case '>':
      return value !== undefined && Number(value) > Number(values[0]);
    case '<':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return operator satisfies never;
  }
}

/** Matcher of a `labelSelector` parameter; undefined when it selects all. Throws ApiError 400. */
export function labelMatcher(text: string): Matcher | undefined {
  const requirements = parseLabelSelector(text);
  if (requirements.length === 0) return undefined;
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((requirement) =>
      meets(requirement, Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined),
    );
  };
}

/** Field selectors of built-in kinds besides metadata.name and metadata.namespace; by `group/plural`. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
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
  '/events': [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  'events.k8s.io/events': [
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
    'reason',
    'type',
    'reportingController',
  ],
  '/secrets': ['type'],
  '/namespaces': ['status.phase'],
  '/nodes': ['spec.unschedulable'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/replicationcontrollers': ['status.replicas'],
  'apps/replicasets': ['status.replicas'],
  'batch/jobs': ['status.successful'],
  'certificates.k8s.io/certificatesigningrequests': ['spec.signerName'],
};

interface FieldTerm {
  readonly path: readonly string[];
  readonly equal: boolean;
  readonly value: string;
}

/** Matcher of a `fieldSelector` parameter; undefined when it selects all. Throws ApiError 400. */
export function fieldMatcher(
  text: string,
  resource: { group: string; plural: string },
  custom: readonly string[] | undefined,
): Matcher | undefined {
  const terms: FieldTerm[] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const match = /^([^=!]+)(==|!=|=)(.*)$/.exec(part.trim());
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const field = match[1]!;
    const known = [
      'metadata.name',
      'metadata.namespace',
      ...(SELECTABLE[`${resource.group}/${resource.plural}`] ?? []),
      ...(custom ?? []),
    ];
    if (!known.includes(field))
      throw badRequest(unknownField(field, `${resource.group}/${resource.plural}`, custom !== undefined));
    terms.push({ path: field.split('.'), equal: match[2] !== '!=', value: match[3]! });
  }
  if (terms.length === 0) return undefined;
  return (object) => terms.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}

/** Kinds without selectors of their own say what the common ones are. */
function unknownField(field: string, id: string, custom: boolean): string {
  if (custom || SELECTABLE[id]) return `field label not supported: ${field}`;
  return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function fieldText(object: KubeObject, path: readonly string[]): string {
  const value = readPath(object, path);
  if (path.join('.') === 'spec.unschedulable') return String(value ?? false);
  return value === undefined || value === null ? '' : String(value);
}
