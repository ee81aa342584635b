// Owns ServiceAccount tokens: JSON web tokens signed with the server's own secret, bound to the account's uid.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Caller, Core } from '../core.ts';
import type { Identity } from '../identity.ts';
import { isRecord } from '../object.ts';

export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

export interface TokenClaims {
  /** Names this token among all. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signature(identity: Identity, text: string): string {
  return createHmac('sha256', Buffer.from(identity.signingKey, 'base64url')).update(text).digest('base64url');
}

/** A signed token. */
export function issueToken(identity: Identity, claims: TokenClaims): string {
  const { namespace, name, uid } = claims;
  const body = {
    aud: claims.audiences,
    exp: claims.expires,
    iat: claims.issued,
    iss: ISSUER,
    jti: claims.id,
    'kubernetes.io': { namespace, serviceaccount: { name, uid } },
    nbf: claims.issued,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(body)}`;
  return `${text}.${signature(identity, text)}`;
}

/** Who a ServiceAccount is to the server. */
export function serviceAccountCaller(namespace: string, name: string, uid: string): Caller {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

/** A token that is valid. */
export interface Verified {
  readonly caller: Caller;
  readonly audiences: readonly string[];
}

/** The caller of a valid token whose account still exists; undefined otherwise. */
export function verifyToken(core: Core, identity: Identity, token: string): Verified | undefined {
  const [header, body, mark, ...more] = token.split('.');
  if (!header || !body || !mark || more.length > 0) return undefined;
  const expected = Buffer.from(signature(identity, `${header}.${body}`));
  const given = Buffer.from(mark);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  if (!isRecord(claims) || typeof claims['exp'] !== 'number' || claims['exp'] * 1000 <= core.now().getTime())
    return undefined;
  const bound = claims['kubernetes.io'];
  if (!isRecord(bound) || !isRecord(bound['serviceaccount'])) return undefined;
  const namespace = String(bound['namespace']);
  const { name, uid } = bound['serviceaccount'];
  const account = core.storage.get('/serviceaccounts', `${namespace}/${String(name)}`)?.object;
  if (account === undefined || account.metadata.uid !== uid) return undefined;
  const caller = serviceAccountCaller(namespace, String(name), String(uid));
  const extra = { 'authentication.kubernetes.io/credential-id': [`JTI=${String(claims['jti'])}`] };
  return { caller: { ...caller, extra }, audiences: claims['aud'] as string[] };
}
