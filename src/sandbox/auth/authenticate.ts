// Owns finding out who asks: the administrator's token and ServiceAccount tokens, and impersonation.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller, Core } from '../core.ts';
import type { Identity } from '../identity.ts';
import { ApiError } from '../rest/errors.ts';
import { ISSUER, type Verified, verifyToken } from './tokens.ts';

const ADMIN: Caller = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };
const ANONYMOUS: Caller = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Who sends a request with these headers. Throws ApiError 401. */
export type Authenticate = (headers: IncomingHttpHeaders) => Caller;

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Who a bearer token is of, and whom it may be shown to; undefined when it is not valid. */
export function verifyBearer(core: Core, identity: Identity, token: string): Verified | undefined {
  return sameText(token, identity.token) ? { caller: ADMIN, audiences: [ISSUER] } : verifyToken(core, identity, token);
}

/** A request without a token is anonymous; one with a wrong token is refused. */
export function createAuthenticator(core: Core, identity: Identity): Authenticate {
  return ({ authorization = '' }) => {
    const [scheme = '', token = ''] = authorization.trim().split(' ');
    if (scheme.toLowerCase() !== 'bearer' || token === '') return ANONYMOUS;
    const verified = verifyBearer(core, identity, token);
    if (verified?.audiences.includes(ISSUER)) return verified.caller;
    throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  };
}
