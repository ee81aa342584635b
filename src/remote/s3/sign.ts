// Owns AWS Signature Version 4 for requests without a body. Pure: time is passed in.
import { createHash, createHmac } from 'node:crypto';

/** A key of an object storage. */
export interface S3Key {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A request to sign. */
export interface SignInput {
  readonly method: string;
  /** Path and query percent-encoded as AWS wants it: `encodePath`, `encodeQuery`. */
  readonly url: URL;
  readonly region: string;
  /** Further headers that are signed, by lower-case name. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  readonly now: Date;
}

const EMPTY_SHA256 = createHash('sha256').update('').digest('hex');

/** The headers of the request, `authorization` among them; without a key they are just those of an anonymous one. */
export function signedHeaders(input: SignInput, key: S3Key | undefined): Record<string, string> {
  const stamp = input.now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const headers: Record<string, string> = {
    ...input.headers,
    'x-amz-content-sha256': EMPTY_SHA256,
    'x-amz-date': stamp,
  };
  if (key === undefined) return headers;
  const all: Record<string, string> = { ...headers, host: input.url.host };
  const names = Object.keys(all).sort();
  const canonical = [
    input.method,
    input.url.pathname,
    input.url.search.slice(1),
    ...names.map((name) => `${name}:${all[name]!.trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    EMPTY_SHA256,
  ].join('\n');
  const scope = `${stamp.slice(0, 8)}/${input.region}/s3/aws4_request`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', stamp, scope, hash].join('\n');
  const signature = hmac(signingKey(key.secretKey, scope), text).toString('hex');
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${key.accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

/** A path with everything but unreserved characters and slashes encoded. */
export function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

/** A query with sorted, encoded names and values. */
export function encodeQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.keys(parameters)
    .sort()
    .map((name) => `${encode(name)}=${encode(parameters[name]!)}`)
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function signingKey(secret: string, scope: string): Buffer {
  return scope.split('/').reduce<Buffer>((above, part) => hmac(above, part), Buffer.from(`AWS4${secret}`));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
