// Owns Git over SSH: the same exchanges as over HTTP, in one conversation with `git-upload-pack` or `git-receive-pack`.
import { GitError } from '../../engines/git/errors.ts';
import { canFilter, canShallow, canWantAny, formatFetch } from '../../engines/git/protocol/fetch.ts';
import { FLUSH_PKT, type Pkt, PktParser } from '../../engines/git/protocol/pktline.ts';
import { formatPush, parsePushReport } from '../../engines/git/protocol/push.ts';
import {
  type Advertisement,
  cleanRemoteText,
  formatLsRefs,
  parseAdvertisement,
  parseLsRefs,
} from '../../engines/git/protocol/refs.ts';
import { DEFAULT_SSH_USER } from './auth.ts';
import { readFetchAnswer } from './pack-stream.ts';
import type { SshCommand, SshConnections, SshTarget } from './ssh-connection.ts';
import type {
  FetchedPack,
  FetchRequest,
  GitAuth,
  GitTransport,
  LsRefsRequest,
  PushRequest,
  RefList,
} from './transport.ts';

/** What an SSH transport works with. */
export interface SshOptions {
  readonly connections: SshConnections;
  /** Shown to the server. @default 'lockstep' */
  readonly agent?: string;
  /** Bound on one exchange where no signal ends it earlier. @default 600000 */
  readonly timeoutMs?: number;
}

type Service = 'git-upload-pack' | 'git-receive-pack';

const DEFAULT_PACK_BYTES = 4 * 1024 * 1024 * 1024;

/** A transport for an `ssh:` URL. Throws GitError GitAuthOptions without a login, GitUrlInvalid. */
export function createSshTransport(url: string, auth: GitAuth, options: SshOptions): GitTransport {
  const parsed = new URL(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  if (auth.ssh === undefined) throw new GitError('GitAuthOptions', "invalid 'ssh' auth option: 'identity' is required");
  if (host === '' || host.startsWith('-')) throw new GitError('GitUrlInvalid', 'the URL names no host');
  const target: SshTarget = {
    host,
    port: Number(parsed.port || 22),
    user: decodeURIComponent(parsed.username) || DEFAULT_SSH_USER,
    login: auth.ssh,
    ...(auth.proxy === undefined ? {} : { proxy: auth.proxy }),
  };
  // `/~user/x` means the home of a user; everything else is a path from the root.
  const path = decodeURIComponent(parsed.pathname).replace(/^\/(?=~)/, '');
  if (path === '' || path === '/' || path.includes('\0'))
    throw new GitError('GitUrlInvalid', 'the URL names no repository');
  return new SshTransport(`ssh://${host}:${target.port}${parsed.pathname}`, path, target, options);
}

class SshTransport implements GitTransport {
  readonly url: string;
  private readonly path: string;
  private readonly target: SshTarget;
  private readonly options: SshOptions;
  private readonly agent: string;

  constructor(url: string, path: string, target: SshTarget, options: SshOptions) {
    this.url = url;
    this.path = path;
    this.target = target;
    this.options = options;
    this.agent = options.agent ?? 'lockstep';
  }

  lsRefs(request: LsRefsRequest): Promise<RefList> {
    return this.converse('git-upload-pack', request.signal, async (talk) => {
      const { features, refs: advertised } = talk.advertisement;
      if (features.version !== 2) {
        talk.send(FLUSH_PKT);
        return { refs: select(advertised, request.prefixes), format: features.format };
      }
      talk.send(formatLsRefs({ prefixes: request.prefixes, peel: true, symrefs: true }, features, this.agent));
      const refs = parseLsRefs(await talk.message());
      talk.send(FLUSH_PKT);
      return { refs: select(refs, request.prefixes), format: features.format };
    });
  }

  async fetch(request: FetchRequest): Promise<FetchedPack> {
    const talk = await this.open('git-upload-pack', request.signal);
    try {
      const { features } = talk.advertisement;
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
      talk.send(formatFetch(wants, features, this.agent));
      if (features.version === 2) talk.send(FLUSH_PKT);
      const { shallow, unshallow, pack } = await readFetchAnswer(talk.rest(), {
        version: features.version,
        deepened: request.depth !== undefined && canShallow(features),
        maxPackBytes: request.maxPackBytes ?? DEFAULT_PACK_BYTES,
      });
      return {
        shallow,
        unshallow,
        format: features.format,
        pack: this.untilEnd(talk, pack),
        cancel: () => talk.end(false),
      };
    } catch (error) {
      talk.end(false);
      throw talk.explain(error);
    }
  }

  push(request: PushRequest): Promise<void> {
    return this.converse('git-receive-pack', request.signal, async (talk) => {
      const { features } = talk.advertisement;
      talk.send(formatPush(request.updates, request.pack, features, this.agent));
      parsePushReport(await talk.message(), request.updates, features);
    });
  }

  canFilter(signal?: AbortSignal): Promise<boolean> {
    return this.ask(signal, (advertisement) => canFilter(advertisement.features));
  }

  canWantAny(signal?: AbortSignal): Promise<boolean> {
    return this.ask(signal, (advertisement) => canWantAny(advertisement.features));
  }

  private ask(signal: AbortSignal | undefined, read: (advertisement: Advertisement) => boolean): Promise<boolean> {
    return this.converse('git-upload-pack', signal, async (talk) => {
      talk.send(FLUSH_PKT);
      return read(talk.advertisement);
    });
  }

  private async *untilEnd(talk: Conversation, pack: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let complete = false;
    try {
      yield* pack;
      complete = true;
    } catch (error) {
      throw talk.explain(error);
    } finally {
      talk.end(complete);
    }
  }

  private async converse<T>(
    service: Service,
    signal: AbortSignal | undefined,
    run: (talk: Conversation) => Promise<T>,
  ): Promise<T> {
    const talk = await this.open(service, signal);
    try {
      const result = await run(talk);
      talk.end(true);
      return result;
    } catch (error) {
      talk.end(false);
      throw talk.explain(error);
    }
  }

  private async open(service: Service, signal: AbortSignal | undefined): Promise<Conversation> {
    const deadline = AbortSignal.timeout(this.options.timeoutMs ?? 600_000);
    const both = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    // Servers that do not accept the variable simply answer in the oldest version.
    const env: Record<string, string> = service === 'git-upload-pack' ? { GIT_PROTOCOL: 'version=2' } : {};
    const quoted = `'${this.path.replaceAll("'", `'\\''`).replaceAll('!', `'\\!'`)}'`;
    const command = await this.options.connections.run(this.target, `${service} ${quoted}`, env, both);
    const talk = new Conversation(command, both);
    try {
      await talk.begin();
      return talk;
    } catch (error) {
      talk.end(false);
      throw talk.explain(error);
    }
  }
}

/** One command's two streams, read message by message. */
class Conversation {
  advertisement!: Advertisement;
  private readonly command: SshCommand;
  private readonly signal: AbortSignal;
  private readonly chunks: AsyncIterator<Buffer>;
  private readonly parser = new PktParser();
  private readonly onAbort = () => this.command.release(false);
  private lines: Pkt[] = [];

  constructor(command: SshCommand, signal: AbortSignal) {
    this.command = command;
    this.signal = signal;
    this.chunks = command.channel[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    command.channel.on('error', () => {});
    signal.addEventListener('abort', this.onAbort, { once: true });
  }

  async begin(): Promise<void> {
    this.advertisement = parseAdvertisement(await this.message());
  }

  send(bytes: Buffer): void {
    this.command.channel.write(bytes);
  }

  /** The lines up to the next flush, or up to the end of the stream. */
  async message(): Promise<Pkt[]> {
    for (;;) {
      const end = this.lines.findIndex((line) => line.kind === 'flush');
      if (end >= 0) return this.lines.splice(0, end + 1).slice(0, -1);
      const next = await this.chunks.next();
      if (next.done === true) {
        this.parser.finish();
        throw new GitError('GitProtocol', 'unexpected EOF: the server closed the connection');
      }
      this.lines.push(...this.parser.push(next.value));
    }
  }

  /** Everything that still comes, as bytes. Nothing of it has been looked at: servers wait for the request. */
  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      const next = await this.chunks.next();
      if (next.done === true) {
        if (this.signal.aborted) throw this.signal.reason;
        return;
      }
      yield next.value;
    }
  }

  end(complete: boolean): void {
    this.signal.removeEventListener('abort', this.onAbort);
    if (complete) this.command.channel.end();
    this.command.release(complete);
  }

  /** The failure with what the server wrote to its standard error, which is where Git hosts explain themselves. */
  explain(error: unknown): unknown {
    if (this.signal.aborted) {
      return new GitError('GitTimeout', 'context deadline exceeded', {}, { cause: this.signal.reason });
    }
    if (!(error instanceof GitError) || error.code !== 'GitProtocol') return error;
    const said = cleanRemoteText(this.command.stderr());
    if (said === '') return error;
    if (
      /not found|does not exist|not appear to be a git repository|no such (?:repository|file)|could not be found/i.test(
        said,
      )
    ) {
      return new GitError('GitRepositoryNotFound', `repository not found: ${said}`, {}, { cause: error });
    }
    if (/denied|not allowed|permission|forbidden|unauthorized/i.test(said)) {
      return new GitError('GitAuthorizationFailed', `authorization failed: ${said}`, {}, { cause: error });
    }
    return new GitError('GitRemoteMessage', said, {}, { cause: error });
  }
}

function select(refs: RefList['refs'], prefixes: readonly string[]): RefList['refs'] {
  if (prefixes.length === 0) return refs;
  return refs.filter((ref) => prefixes.some((prefix) => ref.name.startsWith(prefix)));
}
