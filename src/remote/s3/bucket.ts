// Owns one bucket of an S3-compatible object storage: what is in it, the bytes of an object. What goes into an artifact
// is the caller's business.
import type { Clock } from '../../lib/clock.ts';
import type { HttpDoor, HttpResponse, ProxySettings, TlsSettings } from '../http.ts';
import { S3Error, statusError } from './errors.ts';
import { encodePath, encodeQuery, type S3Key, signedHeaders } from './sign.ts';
import { elementsOf, textOf } from './xml.ts';

/** Which bucket, as whom, and how. */
export interface BucketOptions {
  readonly http: HttpDoor;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  /** `host[:port]`, without a scheme. */
  readonly endpoint: string;
  readonly bucket: string;
  /** @default what the storage says, else `us-east-1` */
  readonly region?: string | undefined;
  /** Anonymous when absent. */
  readonly key?: S3Key | undefined;
  readonly insecure?: boolean | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly proxy?: ProxySettings | undefined;
  readonly timeoutMs?: number | undefined;
}

/** An object as a listing has it. */
export interface ListedObject {
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
}

/** A bucket. */
export interface S3Bucket {
  /** Every object whose key begins with the prefix. Throws S3Error `S3NotFound` when there is no such bucket. */
  list(prefix: string, signal: AbortSignal): AsyncGenerator<ListedObject>;
  /** An object's bytes and ETag; undefined when it is gone. The body must be read to the end or discarded. */
  get(key: string, options: GetOptions): Promise<ObjectBody | undefined>;
}

/** How an object is fetched. */
export interface GetOptions {
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

/** An object on its way. */
export interface ObjectBody {
  readonly etag: string;
  readonly body: AsyncIterable<Buffer>;
}

const DEFAULT_REGION = 'us-east-1';
const PAGE_SIZE = 1000;
const MAX_PAGE_BYTES = 32 * 1024 * 1024;
const MAX_TRIES = 4;
const FIRST_PAUSE_MS = 200;

/** A bucket that has not been asked anything yet. Throws S3Error `S3EndpointInvalid`. */
export function openBucket(options: BucketOptions): S3Bucket {
  return new HttpBucket(options);
}

/** Throws S3Error `S3EndpointInvalid` for what is no `host[:port]`. */
export function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(`https://${endpoint}`) ? new URL(`https://${endpoint}`) : undefined;
  if (url !== undefined && !/[/?#@\s]/.test(endpoint) && url.hostname !== '') return;
  const message = `invalid endpoint '${endpoint}': it must be a host, and a port when needed, without scheme and path`;
  throw new S3Error('S3EndpointInvalid', message, {});
}

class HttpBucket implements S3Bucket {
  readonly #options: BucketOptions;
  #region: string;

  constructor(options: BucketOptions) {
    checkEndpoint(options.endpoint);
    this.#options = options;
    this.#region = options.region || DEFAULT_REGION;
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<ListedObject> {
    let token = '';
    for (;;) {
      const query = {
        'list-type': '2',
        'encoding-type': 'url',
        'max-keys': String(PAGE_SIZE),
        ...(prefix === '' ? {} : { prefix }),
        ...(token === '' ? {} : { 'continuation-token': token }),
      };
      const answer = await this.#ask('', query, signal, MAX_PAGE_BYTES);
      if (answer.status !== 200) throw await statusError(answer);
      const xml = await answer.text();
      yield* readListing(xml);
      if (textOf(xml, 'IsTruncated') !== 'true') return;
      const next = textOf(xml, 'NextContinuationToken') ?? '';
      if (next === '' || next === token) throw malformed('a listing goes on without saying where');
      token = next;
    }
  }

  async get(key: string, { signal, maxBytes }: GetOptions): Promise<ObjectBody | undefined> {
    const answer = await this.#ask(key, {}, signal, maxBytes);
    if (answer.status === 200) return { etag: unquote(answer.headers['etag'] ?? ''), body: answer.body };
    const error = await statusError(answer);
    if (error.code === 'S3NotFound' && error.data.reason !== 'NoSuchBucket') return undefined;
    throw error;
  }

  async #ask(
    key: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    maxBodyBytes: number,
  ): Promise<HttpResponse> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#send(key, query, signal, maxBodyBytes);
      if (answer.status < 300 || answer.status === 404) return answer;
      const error = await statusError(answer);
      const { region } = error.data;
      if (tries >= MAX_TRIES) throw error;
      if (error.code === 'S3WrongRegion' && region !== undefined && region !== this.#region) this.#region = region;
      else if (error.code === 'S3Busy') await this.#options.clock.sleep(FIRST_PAUSE_MS * 2 ** tries, signal);
      else throw error;
    }
  }

  #send(
    key: string,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    maxBodyBytes: number,
  ): Promise<HttpResponse> {
    const { http, clock, endpoint, bucket, insecure, tls, proxy, timeoutMs } = this.#options;
    const url = new URL(`${insecure === true ? 'http' : 'https'}://${endpoint}`);
    url.pathname = encodePath(`/${bucket}${key === '' ? '' : `/${key}`}`);
    url.search = encodeQuery(query);
    const { authorization, ...headers } = signedHeaders(
      { method: 'GET', url, region: this.#region, now: new Date(clock.now()) },
      this.#options.key,
    );
    return http.request({
      url: url.href,
      headers,
      signal,
      maxBodyBytes,
      // A redirect would need a signature of its own.
      maxRedirects: 0,
      ...(authorization === undefined ? {} : { authorization }),
      ...(tls === undefined ? {} : { tls }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }
}

function* readListing(xml: string): Generator<ListedObject> {
  const encoded = textOf(xml, 'EncodingType') === 'url';
  for (const contents of elementsOf(xml, 'Contents')) {
    const key = textOf(contents, 'Key');
    if (key === undefined || key === '') throw malformed('a listing holds an object without a key');
    const size = Number(textOf(contents, 'Size') ?? '0');
    yield {
      key: encoded ? decodeKey(key) : key,
      etag: unquote(textOf(contents, 'ETag') ?? ''),
      size: Number.isSafeInteger(size) && size >= 0 ? size : 0,
    };
  }
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw malformed('a listing holds a key that is not encoded as it says');
  }
}

function unquote(etag: string): string {
  return etag.replace(/^"|"$/g, '');
}

function malformed(message: string): S3Error {
  return new S3Error('S3Malformed', message, {});
}
