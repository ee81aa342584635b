// Owns impersonation headers: acting as somebody else, for those who may.
import type { IncomingMessage } from 'node:http';
import type { Caller, Core } from '../core.ts';
import { ApiError, badRequest } from '../rest/errors.ts';
import { isAllowed } from './authorize.ts';
import { serviceAccountCaller } from './tokens.ts';

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const EXTRA = 'impersonate-extra-';
const AUTHENTICATION = 'authentication.k8s.io';

/** Whom the headers name. */
interface Wanted {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The caller that the request is to act as: the one itself unless it impersonates. Throws ApiError 403 or 400. */
export function impersonate(core: Core, caller: Caller, request: IncomingMessage): Caller {
  const wanted = readHeaders(request);
  const isWanted = wanted.uid !== '' || wanted.groups.length > 0 || Object.keys(wanted.extra).length > 0;
  if (wanted.user === '') {
    if (isWanted) throw badRequest(`requested ${formatWanted(wanted)} without impersonating a user name`);
    return caller;
  }
  requireRights(core, caller, wanted);
  return { ...impersonated(core, wanted), ...(Object.keys(wanted.extra).length > 0 ? { extra: wanted.extra } : {}) };
}

function readHeaders(request: IncomingMessage): Wanted {
  const { headers, headersDistinct } = request;
  const text = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  const extra: Record<string, readonly string[]> = Object.create(null) as Record<string, readonly string[]>;
  for (const [name, values] of Object.entries(headersDistinct)) {
    if (name.startsWith(EXTRA)) extra[unescapeKey(name.slice(EXTRA.length))] = values ?? [];
  }
  const groups = headersDistinct['impersonate-group'] ?? [];
  return { user: text('impersonate-user'), uid: text('impersonate-uid'), groups, extra };
}

function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** As Go prints the structure, which is in the API server's message. */
function formatWanted({ uid, groups, extra }: Wanted): string {
  const texts = (values: readonly string[]): string => `{${values.map((value) => JSON.stringify(value)).join(', ')}}`;
  const pairs = Object.entries(extra).map(([key, values]) => `${JSON.stringify(key)}:[]string${texts(values)}`);
  const groupText = groups.length > 0 ? `[]string${texts(groups)}` : '[]string(nil)';
  const extraText = pairs.length > 0 ? `map[string][]string{${pairs.join(', ')}}` : 'map[string][]string(nil)';
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${extraText}}`;
}

interface Right {
  readonly group?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name: string;
}

function requireRights(core: Core, caller: Caller, { user, uid, groups, extra }: Wanted): void {
  const account = ACCOUNT.exec(user);
  const who: Right = account
    ? { resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! }
    : { resource: 'users', name: user };
  const rights: Right[] = [who, ...groups.map((name) => ({ resource: 'groups', name }))];
  if (uid !== '') rights.push({ group: AUTHENTICATION, resource: 'uids', name: uid });
  for (const [subresource, values] of Object.entries(extra)) {
    for (const name of values) rights.push({ group: AUTHENTICATION, resource: 'userextras', subresource, name });
  }
  for (const right of rights) requireRight(core, caller, right);
}

function requireRight(core: Core, caller: Caller, right: Right): void {
  const { group = '', resource, subresource = '', namespace = '', name } = right;
  const action = { verb: 'impersonate', group, resource, subresource, namespace, name, path: '' };
  if (isAllowed(core, caller, action)) return;
  const subject = group === '' ? resource : `${resource}.${group}`;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  const message = `${subject} ${JSON.stringify(name)} is forbidden: User ${JSON.stringify(caller.name)} cannot impersonate resource ${JSON.stringify(full)} in API group ${JSON.stringify(group)} ${scope}`;
  throw new ApiError(403, 'Forbidden', message, { name, ...(group ? { group } : {}), kind: resource });
}

function impersonated(core: Core, { user, uid, groups }: Wanted): Caller {
  const account = ACCOUNT.exec(user);
  if (account === null) {
    const all = user === 'system:anonymous' ? withUnauthenticated(groups) : withAuthenticated(groups);
    return { name: user, groups: all, ...(uid === '' ? {} : { uid }) };
  }
  const [, namespace = '', name = ''] = account;
  const known = core.storage.get('/serviceaccounts', `${namespace}/${name}`)?.object.metadata.uid ?? '';
  const self = serviceAccountCaller(namespace, name, uid || known);
  return groups.length > 0 ? { ...self, groups: withAuthenticated(groups) } : self;
}

function withAuthenticated(groups: readonly string[]): string[] {
  return groups.includes('system:authenticated') || groups.includes('system:unauthenticated')
    ? [...groups]
    : [...groups, 'system:authenticated'];
}

function withUnauthenticated(groups: readonly string[]): string[] {
  return groups.includes('system:unauthenticated') ? [...groups] : [...groups, 'system:unauthenticated'];
}
