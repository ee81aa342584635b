// Owns fetching from a chart repository over HTTP: its index and its archives. Credentials go to the repository's own
// host alone, unless its owner wants otherwise. What an index says is engines/helm/repository.
import { CodedError } from '../../lib/errors.ts';
import { type DownloadedFile, saveBody } from '../body.ts';
import type { HttpDoor, HttpRequest, HttpResponse, ProxySettings, TlsSettings } from '../http.ts';
import { retryAfterMs } from '../retry-after.ts';

/** Why a repository gave nothing usable. */
export type ChartRepositoryErrorCode =
  | 'ChartRepositoryStatus'
  | 'ChartRepositoryUnauthorized'
  | 'ChartRepositoryUrlInvalid'
  | 'ChartDigestMismatch';

/** A refused or unusable answer of a chart repository. */
export class ChartRepositoryError extends CodedError<
  ChartRepositoryErrorCode,
  { readonly status?: number /** How long the server asks to be left alone. */; readonly retryAfterMs?: number }
> {}

/** Who one is to a repository. */
export interface ChartRepositoryLogin {
  readonly basic?: { readonly username: string; readonly password: string } | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly proxy?: ProxySettings | undefined;
  /** Other hosts get the password too. @default false */
  readonly passCredentials?: boolean | undefined;
}

/** A repository and how to reach it. */
export interface ChartRepository {
  readonly http: HttpDoor;
  readonly url: string;
  readonly login: ChartRepositoryLogin;
  /** Bound on one exchange. */
  readonly timeoutMs: number;
}

/** What tells whether an index changed (RFC 9110 §8.8). */
export interface Validators {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

/** An index on disk, or the word that it is the one that is known. */
export type FetchedIndex =
  | { readonly state: 'unchanged' }
  | ({ readonly state: 'fetched'; readonly validators: Validators } & DownloadedFile);

/** How an index is fetched. */
export interface FetchIndexOptions {
  /** Where it goes. */
  readonly path: string;
  readonly maxBytes: number;
  /** Of the index that is known already. */
  readonly known?: Validators | undefined;
  readonly signal: AbortSignal;
}

/** Fetches the index. Throws ChartRepositoryError, RemoteError; `RemoteTooLarge` beyond the limit. */
export async function fetchIndex(repository: ChartRepository, options: FetchIndexOptions): Promise<FetchedIndex> {
  const url = new URL(repository.url);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/index.yaml`;
  const { etag, lastModified } = options.known ?? {};
  const headers: Record<string, string> = {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
  const answer = await get(repository, url, { ...options, headers, gzip: true });
  if (answer.status === 304) {
    answer.discard();
    return { state: 'unchanged' };
  }
  if (answer.status !== 200) throw refused(url, answer);
  const saved = await saveBody(answer.body, options.path);
  const validators = { etag: answer.headers['etag'], lastModified: answer.headers['last-modified'] };
  return { state: 'fetched', validators, ...saved };
}

/** How an archive is fetched. */
export interface FetchChartOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** SHA-256 as the index has it; not checked when empty. */
  readonly digest: string;
  readonly signal: AbortSignal;
}

/**
 * Fetches an archive that an index names, relative to the repository or anywhere.
 * Throws ChartRepositoryError, RemoteError.
 */
export async function fetchChart(
  repository: ChartRepository,
  reference: string,
  options: FetchChartOptions,
): Promise<DownloadedFile> {
  const url = resolveChartUrl(repository.url, reference);
  const answer = await get(repository, url, options);
  if (answer.status !== 200) throw refused(url, answer);
  const saved = await saveBody(answer.body, options.path);
  const wanted = options.digest.replace(/^sha256:/, '').toLowerCase();
  if (wanted !== '' && `sha256:${wanted}` !== saved.digest) {
    const message = `${withoutQuery(url)} does not have the digest of the index: want sha256:${wanted}, got ${saved.digest}`;
    throw new ChartRepositoryError('ChartDigestMismatch', message, {});
  }
  return saved;
}

/** The address of an archive. Throws ChartRepositoryError `ChartRepositoryUrlInvalid` for anything but HTTP. */
export function resolveChartUrl(repository: string, reference: string): URL {
  const base = new URL(repository);
  const folder = new URL(base);
  folder.pathname = `${base.pathname.replace(/\/+$/, '')}/`;
  const url = URL.canParse(reference, folder.href) ? new URL(reference, folder) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const message = `index names a chart at an address that is no HTTP URL: ${JSON.stringify(reference.slice(0, 200))}`;
    throw new ChartRepositoryError('ChartRepositoryUrlInvalid', message, {});
  }
  // A signed address of a repository is signed for what is below it too.
  if (url.origin === base.origin && url.search === '') url.search = base.search;
  return url;
}

function get(
  { http, url: base, login, timeoutMs }: ChartRepository,
  url: URL,
  options: Pick<HttpRequest, 'headers' | 'gzip'> & { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<HttpResponse> {
  const own = url.origin === new URL(base).origin;
  const { basic, tls, proxy, passCredentials } = login;
  // Another host gets neither the password nor the client certificate.
  const { cert: _cert, key: _key, ...trustOnly } = tls ?? {};
  const trust = own ? tls : trustOnly;
  const authorization =
    basic !== undefined && (own || passCredentials === true)
      ? { authorization: `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}` }
      : {};
  return http.request({
    url: url.href,
    maxBodyBytes: options.maxBytes,
    signal: options.signal,
    timeoutMs,
    ...(options.headers === undefined ? {} : { headers: options.headers }),
    ...(options.gzip === undefined ? {} : { gzip: options.gzip }),
    ...(trust === undefined ? {} : { tls: trust }),
    ...(proxy === undefined ? {} : { proxy }),
    ...authorization,
  });
}

function refused(url: URL, answer: HttpResponse): ChartRepositoryError {
  answer.discard();
  const { status } = answer;
  const code = status === 401 || status === 403 ? 'ChartRepositoryUnauthorized' : 'ChartRepositoryStatus';
  // A date is one of the server's own clock.
  const pauseMs = retryAfterMs(answer.headers['retry-after'], Date.parse(answer.headers['date'] ?? ''));
  return new ChartRepositoryError(code, `failed to fetch ${withoutQuery(url)} : ${status} ${statusText(status)}`, {
    status,
    ...(pauseMs === undefined ? {} : { retryAfterMs: pauseMs }),
  });
}

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

function statusText(status: number): string {
  return STATUS_TEXTS[status] ?? 'Unexpected Status';
}

/** For messages: a query may be a signature. */
function withoutQuery(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
