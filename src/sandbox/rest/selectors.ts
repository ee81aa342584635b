// Owns label and field selectors: parsing and matching. Pure.
import { type KubeObject, readPath } from '../object.ts';
import { badRequest } from './errors.ts';

interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  readonly values: readonly string[];
}

/** True for objects that a list or watch shows. */
export type Matcher = (object: KubeObject) => boolean;

const TERM =
  /^\s*(?:(!)\s*([^\s=!,()<>]+)|([^\s=!,()<>]+)\s*(?:(=|==|!=)\s*([^\s,()=!<>]*)|(>|<)\s*([^\s,()]+)|\s(in|notin)\s*\(([^()]*)\)|))\s*(?:,|$)/;

function parseLabelSelector(text: string): Requirement[] {
  const requirements: Requirement[] = [];
  let rest = text;
  while (rest.trim() !== '') {
    const match = TERM.exec(rest);
    if (match === null)
      throw badRequest(
        `unable to parse requirement: found '${rest.trim().slice(0, 40)}', expected: identifier or operator`,
      );
    const [whole, not, absent, key, equality, value, order, bound, set, list] = match;
    if (not) requirements.push({ key: absent!, operator: '!', values: [] });
    else if (equality)
      requirements.push({ key: key!, operator: equality === '!=' ? '!=' : '=', values: [value ?? ''] });
    else if (order) requirements.push({ key: key!, operator: order as '>' | '<', values: [bound!] });
    else if (set)
      requirements.push({
        key: key!,
        operator: set as 'in' | 'notin',
        values: (list ?? '').split(',').map((item) => item.trim()),
      });
    else requirements.push({ key: key!, operator: 'exists', values: [] });
    rest = rest.slice(whole.length);
  }
  return requirements;
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
  custom: readonly string[],
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
      ...custom,
    ];
    if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
    terms.push({ path: field.split('.'), equal: match[2] !== '!=', value: match[3]! });
  }
  if (terms.length === 0) return undefined;
  return (object) => terms.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}

function fieldText(object: KubeObject, path: readonly string[]): string {
  const value = readPath(object, path);
  if (path.join('.') === 'spec.unschedulable') return String(value ?? false);
  return value === undefined || value === null ? '' : String(value);
}
