// Owns continue tokens: where the next page of a list begins, and at which revision. Pure.
import { posix } from 'node:path';
import { parseGoJson } from '../../lib/gojson.ts';
import { isRecord } from '../object.ts';
import { badRequest } from './errors.ts';

export interface ContinueToken {
  /** Negative: whatever is newest. */
  readonly revision: number;
  /** Keys from this one on, within the list's own prefix. */
  readonly start: string;
}

const VERSION = 'meta.k8s.io/v1';
const BASE64URL = /^[A-Za-z0-9_-]*/;

/** The token that goes on behind a key. */
export function formatToken(revision: number, lastKey: string): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `/${lastKey}\0` })).toString('base64url');
}

/** Reads a token. Throws ApiError 400 in the API server's words. */
export function parseToken(text: string): ContinueToken {
  const valid = BASE64URL.exec(text)?.[0].length ?? 0;
  if (valid < text.length) throw fail(`illegal base64 data at input byte ${valid}`);
  if (text.length % 4 === 1) throw fail(`illegal base64 data at input byte ${text.length - 1}`);
  const bytes = Buffer.from(text, 'base64url');
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw fail(jsonProblem(bytes));
  }
  const { v = '', rv = 0, start = '' } = isRecord(value) ? value : {};
  if (v !== VERSION) throw fail(`server does not recognize this encoded version ${String(v)}`);
  if (typeof rv !== 'number' || rv === 0) throw fail(`incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof start !== 'string' || start === '') throw fail(`encoded start key empty (version ${VERSION})`);
  // A key that climbs out of the list's prefix is an attack.
  const key = start.startsWith('/') ? start : `/${start}`;
  if (posix.normalize(key) !== key) throw fail(start);
  return { revision: rv, start: key.slice(1) };
}

/** Go names the byte that is wrong, as the character of that number. */
function jsonProblem(bytes: Buffer): string {
  const [first = 0] = bytes;
  if (first >= 0x80) {
    const shown = first < 0xa1 || first === 0xad ? `\\u00${first.toString(16)}` : String.fromCharCode(first);
    return `invalid character '${shown}' looking for beginning of value`;
  }
  try {
    parseGoJson(bytes.toString('latin1'));
  } catch (error) {
    return (error as Error).message;
  }
  return 'unexpected end of JSON input';
}

function fail(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}
