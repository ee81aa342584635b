// Owns the distribution protocol: manifests, tags, blobs and referrers of a registry, with logins, paging, pauses that
// the registry asks for, and digests that are always checked. What the bytes mean is the caller's business.
import { createHash, type Hash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { type HttpDoor, type HttpResponse, type ProxySettings, RemoteError, type TlsSettings } from '../http.ts';
import { retryAfterMs } from '../retry-after.ts';
import { type Authorization, authorize, parseChallenges } from './challenge.ts';
import { RegistryError, statusError } from './errors.ts';
import type { RegistryLogin } from './login.ts';
import { type Descriptor, MANIFEST_TYPES, parseIndex, parseTags } from './manifest.ts';
import { checkDigest, isDigest, type RepositoryName } from './reference.ts';

/** Whom to ask, as whom, and how. */
export interface RegistryOptions {
  readonly http: HttpDoor;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly repository: RepositoryName;
  readonly login?: RegistryLogin | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly proxy?: ProxySettings | undefined;
  /** Any certificate will do, and plain HTTP where the registry has no TLS. @default false */
  readonly insecure?: boolean | undefined;
  /** Bound on one exchange. @default 60000 */
  readonly timeoutMs?: number | undefined;
}

/** A manifest as it was fetched. */
export interface FetchedManifest {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** Where the bytes of a blob go. `restart` is called when they begin anew. */
export interface BlobSink {
  write(chunk: Buffer): Promise<void>;
  restart(): Promise<void>;
}

/** One repository of a registry. Tokens are kept for as long as this lives. */
export interface Registry {
  /** The digest that a tag stands for now. */
  resolveTag(tag: string, signal: AbortSignal): Promise<string>;
  /** A manifest by tag or digest. */
  manifest(reference: string, signal: AbortSignal): Promise<FetchedManifest>;
  /** All tags, in the registry's order. */
  tags(signal: AbortSignal): Promise<string[]>;
  /** Writes a blob; resolves when all of it is there and has its digest. */
  blob(descriptor: Pick<Descriptor, 'digest' | 'size'>, sink: BlobSink, signal: AbortSignal): Promise<void>;
  /** A small blob. Throws RegistryError `RegistryTooLarge` beyond `maxBytes`. */
  smallBlob(descriptor: Descriptor, maxBytes: number, signal: AbortSignal): Promise<Buffer>;
  /** What refers to a manifest; by the tag that stands for it where the registry has no such list. */
  referrers(digest: string, signal: AbortSignal): Promise<Descriptor[]>;
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const MAX_PAGES = 1000;
const MAX_TAGS = 200_000;
const PAGE_SIZE = 1000;
const MAX_PAUSES = 3;
const MAX_PAUSE_MS = 60_000;
const DEFAULT_PAUSE_MS = 1000;
const MAX_RESUMES = 5;

/** A registry that has not been asked anything yet. */
export function createRegistry(options: RegistryOptions): Registry {
  return new HttpRegistry(options);
}

interface Ask {
  readonly signal: AbortSignal;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly maxBodyBytes?: number;
}

class HttpRegistry implements Registry {
  readonly #options: RegistryOptions;
  #origin: string | undefined;
  #authorization: Authorization | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  async resolveTag(tag: string, signal: AbortSignal): Promise<string> {
    const headers = { accept: MANIFEST_TYPES.join(', ') };
    const answer = await this.#ask(`manifests/${tag}`, { method: 'HEAD', headers, signal });
    answer.discard();
    const digest = answer.headers['docker-content-digest'];
    if (answer.status === 200 && isDigest(digest)) return digest;
    // Some registries do not answer HEAD, or not with a digest; the error of the GET has words.
    return (await this.manifest(tag, signal)).digest;
  }

  async manifest(reference: string, signal: AbortSignal): Promise<FetchedManifest> {
    const headers = { accept: MANIFEST_TYPES.join(', ') };
    const path = `manifests/${reference}`;
    const answer = await this.#ask(path, { headers, signal, maxBodyBytes: MAX_MANIFEST_BYTES });
    if (answer.status !== 200) throw await statusError('GET', await this.#url(path, signal), answer);
    const bytes = await answer.bytes();
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const claimed = reference.includes(':') ? reference : answer.headers['docker-content-digest'];
    if (claimed?.startsWith('sha256:') === true && claimed !== digest) {
      throw mismatch(`manifest ${reference}`, claimed, digest);
    }
    return { digest, bytes };
  }

  async tags(signal: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    let path: string | undefined = `tags/list?n=${PAGE_SIZE}`;
    for (let page = 0; path !== undefined; page++) {
      const answer: HttpResponse = await this.#ask(path, { signal, maxBodyBytes: MAX_PAGE_BYTES });
      if (answer.status !== 200) throw await statusError('GET', await this.#url(path, signal), answer);
      tags.push(...parseTags(await answer.bytes()));
      if (page >= MAX_PAGES || tags.length > MAX_TAGS) {
        throw new RegistryError('RegistryTooLarge', `registry lists more than ${MAX_TAGS} tags`, {});
      }
      const next = this.#nextPage(answer.headers['link']);
      if (next === path) throw new RegistryError('RegistryMalformed', 'list of tags leads back to itself', {});
      path = next;
    }
    return tags;
  }

  async blob(descriptor: Pick<Descriptor, 'digest' | 'size'>, sink: BlobSink, signal: AbortSignal): Promise<void> {
    const state = { hash: createHash('sha256'), received: 0 };
    for (let attempt = 0; ; attempt++) {
      const before = state.received;
      try {
        await this.#blobPart(descriptor, state, sink, signal);
        break;
      } catch (error) {
        // A connection that broke on the way goes on where it ended, as long as each attempt brings something.
        const broken =
          error instanceof RemoteError && (error.code === 'RemoteBroken' || error.code === 'RemoteTimeout');
        if (!broken || signal.aborted || attempt >= MAX_RESUMES || state.received === before) throw error;
      }
    }
    const digest = `sha256:${state.hash.digest('hex')}`;
    if (digest !== descriptor.digest) throw mismatch('blob', descriptor.digest, digest);
  }

  async smallBlob(descriptor: Descriptor, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    if (descriptor.size > maxBytes) throw tooLarge(descriptor, maxBytes);
    let parts: Buffer[] = [];
    const sink: BlobSink = {
      write: async (chunk) => {
        parts.push(chunk);
      },
      restart: async () => {
        parts = [];
      },
    };
    await this.blob(descriptor, sink, signal);
    return Buffer.concat(parts);
  }

  async referrers(digest: string, signal: AbortSignal): Promise<Descriptor[]> {
    const answer = await this.#ask(`referrers/${digest}`, { signal, maxBodyBytes: MAX_MANIFEST_BYTES });
    if (answer.status === 200) return parseIndex(await answer.bytes());
    answer.discard();
    const tag = digest.replace(':', '-');
    try {
      return parseIndex((await this.manifest(tag, signal)).bytes);
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'RegistryNotFound') return [];
      throw error;
    }
  }

  async #blobPart(
    { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
    state: { hash: Hash; received: number },
    sink: BlobSink,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `blobs/${checkDigest(digest)}`;
    const headers: Record<string, string> = state.received > 0 ? { range: `bytes=${state.received}-` } : {};
    const answer = await this.#ask(path, { signal, headers, maxBodyBytes: size + 1 });
    if (answer.status !== 200 && answer.status !== 206)
      throw await statusError('GET', await this.#url(path, signal), answer);
    const goesOn = answer.status === 206 && answer.headers['content-range']?.startsWith(`bytes ${state.received}-`);
    if (state.received > 0 && goesOn !== true) {
      state.hash = createHash('sha256');
      state.received = 0;
      await sink.restart();
    }
    for await (const chunk of answer.body) {
      state.received += chunk.length;
      if (state.received > size) throw mismatch('blob', `${digest} of ${size} bytes`, 'longer');
      state.hash.update(chunk);
      await sink.write(chunk);
    }
  }

  /** The path of the next page, below this repository: a link to anywhere else is not followed. */
  #nextPage(link: string | undefined): string | undefined {
    const target = /<([^>]*)>\s*;[^,]*rel="?next"?/i.exec(link ?? '')?.[1];
    if (target === undefined) return undefined;
    const base = this.#base();
    const url = URL.canParse(target, base) ? new URL(target, base) : undefined;
    if (url === undefined || !url.href.startsWith(base)) {
      throw new RegistryError('RegistryMalformed', 'list of tags goes on at another place', {});
    }
    return url.href.slice(base.length);
  }

  #base(): string {
    return `${this.#origin ?? ''}/v2/${this.#options.repository.path}/`;
  }

  async #url(path: string, signal: AbortSignal): Promise<string> {
    this.#origin ??= await this.#findOrigin(signal);
    return this.#base() + path;
  }

  async #ask(path: string, ask: Ask): Promise<HttpResponse> {
    const url = await this.#url(path, ask.signal);
    const { clock } = this.#options;
    for (let pauses = 0, asked = false; ; ) {
      const answer = await this.#send(url, ask);
      if (answer.status === 401 && !asked) {
        asked = true;
        await this.#logIn(answer, ask.signal);
        continue;
      }
      if (answer.status !== 429) return answer;
      const pauseMs = retryAfterMs(answer.headers['retry-after'], clock.now()) ?? DEFAULT_PAUSE_MS * 2 ** pauses;
      if (pauses++ >= MAX_PAUSES || pauseMs > MAX_PAUSE_MS) {
        const { message, data } = await statusError(ask.method ?? 'GET', url, answer);
        throw new RegistryError('RegistryRateLimited', message, { ...data, retryAfterMs: pauseMs });
      }
      answer.discard();
      await clock.sleep(pauseMs, ask.signal);
    }
  }

  #send(url: string, { signal, method, headers, maxBodyBytes }: Ask): Promise<HttpResponse> {
    const known = this.#authorization;
    const { clock, http } = this.#options;
    return http.request({
      url,
      ...this.#exchange(signal),
      ...(method === undefined ? {} : { method }),
      ...(headers === undefined ? {} : { headers }),
      ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
      ...(known === undefined || known.expiresAt <= clock.now() ? {} : { authorization: known.value }),
    });
  }

  async #logIn(answer: HttpResponse, signal: AbortSignal): Promise<void> {
    const header = answer.headers['www-authenticate'] ?? '';
    answer.discard();
    const { http, login, clock, repository } = this.#options;
    this.#authorization = undefined;
    this.#authorization = await authorize(parseChallenges(header), {
      http,
      origin: this.#origin!,
      scope: `repository:${repository.path}:pull`,
      login,
      exchange: this.#exchange(signal),
      now: clock.now(),
    });
  }

  #exchange(signal: AbortSignal) {
    const { tls, proxy, insecure, timeoutMs } = this.#options;
    const trust = insecure === true && tls === undefined ? { insecureSkipVerify: true } : tls;
    return {
      signal,
      ...(trust === undefined ? {} : { tls: trust }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
  }

  /** TLS always, but for a registry that is declared insecure and has none. */
  async #findOrigin(signal: AbortSignal): Promise<string> {
    const { repository, insecure, http } = this.#options;
    const secure = `https://${repository.host}`;
    if (insecure !== true) return secure;
    try {
      (await http.request({ url: `${secure}/v2/`, ...this.#exchange(signal), maxRedirects: 0 })).discard();
      return secure;
    } catch (error) {
      const noTls = error instanceof RemoteError && ['RemoteTls', 'RemoteBroken', 'RemoteConnect'].includes(error.code);
      if (!noTls || signal.aborted) throw error;
      return `http://${repository.host}`;
    }
  }
}

function mismatch(what: string, wanted: string, got: string): RegistryError {
  return new RegistryError(
    'RegistryDigestMismatch',
    `${what} does not have its digest: want ${wanted}, got ${got}`,
    {},
  );
}

function tooLarge({ size }: Descriptor, maxBytes: number): RegistryError {
  return new RegistryError('RegistryTooLarge', `blob of ${size} bytes exceeds the limit of ${maxBytes} bytes`, {});
}
