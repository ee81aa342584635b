// Owns deciding whether a caller may: members of system:masters may all, others what RBAC says.
import type { Caller, Core } from '../core.ts';
import type { ApiRequest } from '../rest/answer.ts';
import { ApiError } from '../rest/errors.ts';
import { verbOf } from '../rest/resource-request.ts';
import { ruleAllows, rulesFor } from './rbac.ts';

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

/** Paths that anybody may read, as the role system:public-info-viewer grants. */
const PUBLIC = /^\/(healthz|livez|readyz|version)(\/.*)?$/;

export function createAuthorizer(core: Core): (request: ApiRequest) => void {
  return (request) => {
    const { caller, info } = request;
    if (PUBLIC.test(info.path)) return;
    const action = actionOf(request);
    if (isAllowed(core, caller, action)) return;
    throw denied(caller, action);
  };
}

function actionOf(request: ApiRequest): Action {
  const { info, method } = request;
  const base = {
    group: info.group,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    path: info.path,
  };
  if (info.resource === undefined) return { ...base, verb: method.toLowerCase(), resource: '' };
  return { ...base, verb: verbOf(request), resource: info.resource };
}

/** Whether the caller may: as a member of system:masters, or by RBAC. */
export function isAllowed(core: Core, caller: Caller, action: Action): boolean {
  if (caller.groups.includes('system:masters')) return true;
  const known = caller.groups.includes('system:authenticated');
  return known && rulesFor(core, caller, action.namespace).some((rule) => ruleAllows(rule, action));
}

function denied(caller: Caller, action: Action): ApiError {
  if (action.resource === '') {
    return new ApiError(
      403,
      'Forbidden',
      `forbidden: User ${JSON.stringify(caller.name)} cannot ${action.verb} path ${JSON.stringify(action.path)}`,
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
