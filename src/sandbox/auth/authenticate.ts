// Owns finding out who asks: the administrator's token and ServiceAccount tokens, and impersonation.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller, Core } from '../core.ts';
import type { Identity } from '../identity.ts';
import { ApiError } from '../rest/errors.ts';
import { verifyToken } from './tokens.ts';

const ADMIN: Caller = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
const ANONYMOUS: Caller = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Who sends a request with these headers. Throws ApiError 401. */
export type Authenticate = (headers: IncomingHttpHeaders) => Caller;

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The caller behind a bearer token; undefined when it is not valid. */
export function callerOfToken(core: Core, identity: Identity, token: string): Caller | undefined {
  if (sameText(token, identity.token)) return ADMIN;
  return verifyToken(core, identity, token)?.caller;
}

export function createAuthenticator(core: Core, identity: Identity): Authenticate {
  return (headers) => {
    const { authorization } = headers;
    if (authorization === undefined) return ANONYMOUS;
    const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
    const caller = token === undefined ? undefined : callerOfToken(core, identity, token);
    if (caller === undefined) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
    return caller;
  };
}
