// Owns impersonation headers: acting as somebody else, for those who may.
import type { IncomingMessage } from 'node:http';
import type { Caller, Core } from '../core.ts';
import { ApiError } from '../rest/errors.ts';
import { isAllowed } from './authorize.ts';
import { serviceAccountCaller } from './tokens.ts';

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** The caller that the request is to act as: the one itself unless it impersonates. Throws ApiError 403 or 400. */
export function impersonate(core: Core, caller: Caller, request: IncomingMessage): Caller {
  const { headers } = request;
  const user = headers['impersonate-user'];
  const groups = request.headersDistinct['impersonate-group'] ?? [];
  if (typeof user !== 'string' || user === '') {
    if (groups.length > 0)
      throw new ApiError(
        500,
        'InternalError',
        'Internal error occurred: requested [{Group}] without impersonating a user',
      );
    return caller;
  }
  const account = ACCOUNT.exec(user);
  require(core, caller, account
    ? { resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! }
    : { resource: 'users', namespace: '', name: user });
  for (const group of groups) require(core, caller, { resource: 'groups', namespace: '', name: group });
  if (account) {
    const uid = core.storage.get('/serviceaccounts', `${account[1]}/${account[2]}`)?.object.metadata.uid ?? '';
    const self = serviceAccountCaller(account[1]!, account[2]!, uid);
    return groups.length > 0 ? { ...self, groups: withAuthenticated(groups) } : self;
  }
  return { name: user, groups: user === 'system:anonymous' ? groups : withAuthenticated(groups) };
}

function withAuthenticated(groups: readonly string[]): string[] {
  return groups.includes('system:authenticated') || groups.includes('system:unauthenticated')
    ? [...groups]
    : [...groups, 'system:authenticated'];
}

function require(core: Core, caller: Caller, what: { resource: string; namespace: string; name: string }): void {
  const action = { verb: 'impersonate', group: '', subresource: '', path: '', ...what };
  if (caller.groups.includes('system:masters') || isAllowed(core, caller, action)) return;
  const scope = what.namespace ? `in the namespace ${JSON.stringify(what.namespace)}` : 'at the cluster scope';
  const message = `${what.resource} ${JSON.stringify(what.name)} is forbidden: User ${JSON.stringify(caller.name)} cannot impersonate resource ${JSON.stringify(what.resource)} in API group "" ${scope}`;
  throw new ApiError(403, 'Forbidden', message, { name: what.name, kind: what.resource });
}
