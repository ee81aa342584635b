// Owns deciding whether a caller may: members of system:masters may all, others what RBAC says.
import type { Caller, Core } from '../core.ts';
import type { ApiRequest } from '../rest/answer.ts';
import { ApiError } from '../rest/errors.ts';
import { verbOf } from '../rest/resource-request.ts';
import { grantsFor, ruleAllows } from './rbac.ts';

/** One action that is to be allowed or not. */
export interface Action {
  readonly verb: string;
  readonly group: string;
  /** '' for a path outside the resources. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Path, for actions outside the resources. */
  readonly path: string;
}

const MASTERS = 'system:masters';

export function createAuthorizer(core: Core): (request: ApiRequest) => void {
  return (request) => {
    const { caller } = request;
    const action = actionOf(request);
    if (!isAllowed(core, caller, action)) throw denied(caller, action);
  };
}

function actionOf(request: ApiRequest): Action {
  const { info, method } = request;
  const { group, subresource, path } = info;
  const base = { group, subresource, path };
  if (info.resource === undefined)
    return { ...base, verb: method.toLowerCase(), resource: '', namespace: '', name: '' };
  const verb = verbOf(request);
  const name = info.name || (COLLECTIVE.has(verb) ? selectedName(info.query) : '');
  // A namespace is in itself, so that roles in it may be about it.
  const namespace = info.resource === 'namespaces' && group === '' ? info.name : info.namespace;
  return { ...base, verb, resource: info.resource, namespace, name };
}

const COLLECTIVE = new Set(['list', 'watch', 'deletecollection']);

/** A list of one name is about that object. */
function selectedName(query: URLSearchParams): string {
  return /^metadata\.name==?([^=,\\]+)$/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '';
}

/** Whether the caller may: as a member of system:masters, or by RBAC. */
export function isAllowed(core: Core, caller: Caller, action: Action): boolean {
  return findPermission(core, caller, action) !== undefined;
}

/** Why the caller may, as access reviews say it ('' for members of system:masters); undefined when they may not. */
export function findPermission(core: Core, caller: Caller, action: Action): string | undefined {
  if (caller.groups.includes(MASTERS)) return '';
  for (const { rule, by } of grantsFor(core, caller, action.namespace)) {
    if (ruleAllows(rule, action)) return `RBAC: allowed by ${by}`;
  }
  return undefined;
}

function denied(caller: Caller, action: Action): ApiError {
  if (action.resource === '') {
    return new ApiError(
      403,
      'Forbidden',
      `forbidden: User ${JSON.stringify(caller.name)} cannot ${action.verb} path ${JSON.stringify(action.path)}`,
      'empty',
    );
  }
  const full = action.subresource ? `${action.resource}/${action.subresource}` : action.resource;
  const subject = action.group ? `${action.resource}.${action.group}` : action.resource;
  const named = action.name ? `${subject} ${JSON.stringify(action.name)}` : subject;
  const scope = action.namespace ? `in the namespace ${JSON.stringify(action.namespace)}` : 'at the cluster scope';
  const message = `${named} is forbidden: User ${JSON.stringify(caller.name)} cannot ${action.verb} resource ${JSON.stringify(full)} in API group ${JSON.stringify(action.group)} ${scope}`;
  return new ApiError(403, 'Forbidden', message, {
    ...(action.name ? { name: action.name } : {}),
    ...(action.group ? { group: action.group } : {}),
    kind: action.resource,
  });
}
