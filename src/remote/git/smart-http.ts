// Owns Git over HTTP: discovery, ls-refs, fetch and push against one repository URL. Versions 2, 1 and 0.
import { GitError } from '../../engines/git/errors.ts';
import { canFilter, canShallow, canWantAny, formatFetch } from '../../engines/git/protocol/fetch.ts';
import { type Pkt, PktParser } from '../../engines/git/protocol/pktline.ts';
import { formatPush, parsePushReport } from '../../engines/git/protocol/push.ts';
import {
  type Advertisement,
  formatLsRefs,
  parseAdvertisement,
  parseLsRefs,
  type RemoteRef,
} from '../../engines/git/protocol/refs.ts';
import type { HttpDoor, HttpResponse } from '../http.ts';
import { fromRemoteError, statusError } from './errors.ts';
import type { KnownServer, ServerMemory } from './memory.ts';
import { readFetchAnswer } from './pack-stream.ts';
import type {
  BasicLogin,
  FetchedPack,
  FetchRequest,
  GitAuth,
  GitTransport,
  LsRefsRequest,
  PushRequest,
  RefList,
} from './transport.ts';

/** What a smart-HTTP transport works with. */
export interface SmartHttpOptions {
  readonly http: HttpDoor;
  readonly memory: ServerMemory;
  /** Shown to the server. @default 'lockstep' */
  readonly agent?: string;
  /** Bound on one exchange where no signal ends it earlier. @default 600000 */
  readonly timeoutMs?: number;
}

type Service = 'git-upload-pack' | 'git-receive-pack';

const MAX_REFS_BYTES = 512 * 1024 * 1024;
const DEFAULT_PACK_BYTES = 4 * 1024 * 1024 * 1024;

/** A transport for an `http:` or `https:` URL. User info in the URL fills in what `auth` lacks. */
export function createSmartHttp(url: string, auth: GitAuth, options: SmartHttpOptions): GitTransport {
  return new SmartHttp(url, auth, options);
}

class SmartHttp implements GitTransport {
  readonly url: string;
  private readonly auth: GitAuth;
  private readonly options: SmartHttpOptions;
  private readonly agent: string;

  constructor(url: string, auth: GitAuth, options: SmartHttpOptions) {
    const parsed = new URL(url);
    const login = loginOf(parsed);
    parsed.username = '';
    parsed.password = '';
    parsed.hash = '';
    this.url = parsed.href.replace(/\/+$/, '');
    this.auth = login === undefined || auth.basic !== undefined || auth.bearerToken ? auth : { ...auth, basic: login };
    this.options = options;
    this.agent = options.agent ?? 'lockstep';
  }

  async lsRefs(request: LsRefsRequest): Promise<RefList> {
    return this.withServer(request.signal, async (server, advertised) => {
      const { features } = server;
      if (features.version !== 2) {
        // The advertisement is the list: what was remembered is of no use, a new one is asked for.
        const refs = advertised?.refs ?? (await this.discover(request.signal)).refs;
        return { refs: filterRefs(refs, request.prefixes), format: features.format };
      }
      const body = formatLsRefs({ prefixes: request.prefixes, peel: true, symrefs: true }, features, this.agent);
      const answer = await this.post(server, 'git-upload-pack', body, request.signal, MAX_REFS_BYTES);
      const refs = parseLsRefs(await readLines(answer));
      return { refs: filterRefs(refs, request.prefixes), format: features.format };
    });
  }

  async fetch(request: FetchRequest): Promise<FetchedPack> {
    return this.withServer(request.signal, async (server) => {
      const { features } = server;
      if (request.filter !== undefined && !canFilter(features)) {
        throw new GitError('GitUnsupported', 'the server has no partial clone filters', { url: this.url });
      }
      const wants = {
        wants: request.wants,
        haves: request.haves ?? [],
        shallow: request.shallow ?? [],
        ...(request.depth === undefined ? {} : { depth: request.depth }),
        ...(request.filter === undefined ? {} : { filter: request.filter }),
      };
      const maxPackBytes = request.maxPackBytes ?? DEFAULT_PACK_BYTES;
      const body = formatFetch(wants, features, this.agent);
      const answer = await this.post(server, 'git-upload-pack', body, request.signal, maxPackBytes * 1.01 + 65536);
      const deepened = request.depth !== undefined && canShallow(features);
      const { shallow, unshallow, pack, stop } = await readFetchAnswer(gitErrors(answer.body), {
        version: features.version,
        deepened,
        maxPackBytes,
      });
      const cancel = () => {
        answer.discard();
        stop().catch(() => {});
      };
      return { shallow, unshallow, pack, format: features.format, cancel };
    });
  }

  async push(request: PushRequest): Promise<void> {
    const discovered = await this.discover(request.signal, 'git-receive-pack');
    const { features } = discovered.server;
    const answer = await this.post(
      discovered.server,
      'git-receive-pack',
      formatPush(request.updates, request.pack, features, this.agent),
      request.signal,
      16 * 1024 * 1024,
    );
    parsePushReport(await readLines(answer), request.updates, features);
  }

  canFilter(signal?: AbortSignal): Promise<boolean> {
    return this.withServer(signal, async (server) => canFilter(server.features));
  }

  canWantAny(signal?: AbortSignal): Promise<boolean> {
    return this.withServer(signal, async (server) => canWantAny(server.features));
  }

  /**
   * Runs with what is known about the server; discovers first when nothing is. When a remembered server turns out to
   * have changed (moved, downgraded, replaced), it is discovered once more.
   */
  private async withServer<T>(
    signal: AbortSignal | undefined,
    run: (server: KnownServer, advertised: Discovery | undefined) => Promise<T>,
  ): Promise<T> {
    const known = this.options.memory.get(this.url);
    if (known === undefined) {
      const discovery = await this.discover(signal);
      return run(discovery.server, discovery);
    }
    try {
      return await run(known, undefined);
    } catch (error) {
      if (!isWorthRediscovery(error)) throw error;
      this.options.memory.forget(this.url);
      const discovery = await this.discover(signal);
      return run(discovery.server, discovery);
    }
  }

  private async discover(signal: AbortSignal | undefined, service: Service = 'git-upload-pack'): Promise<Discovery> {
    const authorization = await this.authorization(signal);
    const answer = await this.request({
      url: `${this.url}/info/refs?service=${service}`,
      // Receive-pack has no version 2; asking for it would be ignored at best.
      headers: service === 'git-upload-pack' ? { 'git-protocol': 'version=2' } : {},
      authorization,
      signal,
      maxBodyBytes: MAX_REFS_BYTES,
    });
    if (answer.status !== 200) throw await statusError(answer, authorization === undefined);
    const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== `application/x-${service}-advertisement`) {
      answer.discard();
      throw new GitError(
        'GitProtocol',
        `the answer is not from a Git server: its content type is '${type ?? ''}' (a login page, or not the URL of a repository)`,
        { url: this.url },
      );
    }
    const advertisement: Advertisement = parseAdvertisement(await readLines(answer));
    const baseUrl = answer.url.replace(/\/info\/refs(?:\?.*)?$/, '');
    const server: KnownServer = { features: advertisement.features, baseUrl };
    if (service === 'git-upload-pack') this.options.memory.set(this.url, server);
    return { server, refs: advertisement.refs };
  }

  private async post(
    server: KnownServer,
    service: Service,
    body: Buffer,
    signal: AbortSignal | undefined,
    maxBodyBytes: number,
  ): Promise<HttpResponse> {
    // After a redirect the POST goes where discovery ended; credentials only if that is still the same party.
    const authorization = isSameHost(this.url, server.baseUrl) ? await this.authorization(signal) : undefined;
    const answer = await this.request({
      url: `${server.baseUrl}/${service}`,
      method: 'POST',
      headers: {
        'content-type': `application/x-${service}-request`,
        accept: `application/x-${service}-result`,
        ...(server.features.version === 2 ? { 'git-protocol': 'version=2' } : {}),
      },
      body,
      authorization,
      signal,
      maxBodyBytes,
      maxRedirects: 0,
      idempotent: service === 'git-upload-pack',
    });
    if (answer.status !== 200) throw await statusError(answer, authorization === undefined);
    const type = (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
    if (type !== `application/x-${service}-result`) {
      answer.discard();
      throw new GitError('GitProtocol', `the answer has the content type '${type ?? ''}', not Git's`, {
        url: this.url,
      });
    }
    return answer;
  }

  private async request(request: {
    url: string;
    method?: 'POST';
    headers: Record<string, string>;
    body?: Buffer;
    authorization: string | undefined;
    signal: AbortSignal | undefined;
    maxBodyBytes: number;
    maxRedirects?: number;
    idempotent?: boolean;
  }): Promise<HttpResponse> {
    const { authorization, signal, ...rest } = request;
    const sameHost = isSameHost(this.url, request.url);
    const { cert: _cert, key: _key, ...trustOnly } = this.auth.tls ?? {};
    try {
      return await this.options.http.request({
        ...rest,
        timeoutMs: this.options.timeoutMs ?? 600_000,
        idleTimeoutMs: 60_000,
        ...(authorization === undefined ? {} : { authorization }),
        ...(signal === undefined ? {} : { signal }),
        ...(this.auth.tls === undefined ? {} : { tls: sameHost ? this.auth.tls : trustOnly }),
        ...(this.auth.proxy === undefined ? {} : { proxy: this.auth.proxy }),
      });
    } catch (error) {
      throw fromRemoteError(error);
    }
  }

  private async authorization(signal: AbortSignal | undefined): Promise<string | undefined> {
    const login = (await this.auth.dynamic?.(signal)) ?? this.auth.basic;
    if (login !== undefined && 'username' in login) return basicHeader(login);
    const token = login?.bearerToken ?? this.auth.bearerToken;
    return token === undefined ? undefined : `Bearer ${token}`;
  }
}

interface Discovery {
  readonly server: KnownServer;
  readonly refs: readonly RemoteRef[];
}

function basicHeader(login: BasicLogin): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

function loginOf(url: URL): BasicLogin | undefined {
  if (url.username === '' && url.password === '') return undefined;
  return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}

function isSameHost(first: string, second: string): boolean {
  const [a, b] = [new URL(first), new URL(second)];
  if (a.origin === b.origin) return true;
  return (
    a.hostname === b.hostname && a.protocol === 'http:' && b.protocol === 'https:' && a.port === '' && b.port === ''
  );
}

// What a server says when it has moved, was downgraded to an older protocol, or is another one now.
function isWorthRediscovery(error: unknown): boolean {
  if (!(error instanceof GitError)) return false;
  if (error.code === 'GitProtocol' || error.code === 'GitRepositoryNotFound') return true;
  const status = error.code === 'GitHttpStatus' ? (error.data.status ?? 0) : 0;
  return [301, 302, 307, 308, 400, 405, 410, 415].includes(status);
}

function filterRefs(refs: readonly RemoteRef[], prefixes: readonly string[]): readonly RemoteRef[] {
  if (prefixes.length === 0) return refs;
  return refs.filter((ref) => prefixes.some((prefix) => ref.name.startsWith(prefix)));
}

async function readLines(answer: HttpResponse): Promise<Pkt[]> {
  const parser = new PktParser();
  const lines: Pkt[] = [];
  for await (const chunk of gitErrors(answer.body)) lines.push(...parser.push(chunk));
  parser.finish();
  return lines;
}

async function* gitErrors(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw fromRemoteError(error);
  }
}
