// Owns SSH connections to Git hosts: login by key, host keys held to known_hosts, one command at a time on each, kept
// for a while for the next poll. What the command says is the transport's business.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Client, ClientChannel, ParsedKey } from 'ssh2';
import { GitError } from '../../engines/git/errors.ts';
import type { ProxySettings } from '../http.ts';
import { describeFailure } from '../internal/failures.ts';
import { openTunnel } from '../internal/tunnel.ts';
import { hostKeysFor } from './known-hosts.ts';
import type { SshLogin } from './transport.ts';

/** Where to log in and as whom. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly login: SshLogin;
  readonly proxy?: ProxySettings;
}

/** A running command. */
export interface SshCommand {
  readonly channel: ClientChannel;
  /** What the command wrote to its standard error so far, bounded. */
  stderr(): string;
  /** Gives the connection back; `reusable` when the command ended as it should. */
  release(reusable: boolean): void;
}

/** Connections, shared by all SSH transports of a process. */
export interface SshConnections {
  /** Runs a command. Throws GitError. */
  run(target: SshTarget, command: string, env: Record<string, string>, signal?: AbortSignal): Promise<SshCommand>;
  close(): void;
}

/** Options of `createSshConnections`. */
export interface SshConnectionsOptions {
  /** How long an idle connection is kept. @default 30000 */
  readonly idleMs?: number;
  /** Bound on connecting and logging in. @default 20000 */
  readonly connectTimeoutMs?: number;
  /** Key exchanges that are offered. @default the library's */
  readonly kexAlgorithms?: readonly string[] | undefined;
  /** Host key algorithms that are accepted. @default all that are known here */
  readonly hostKeyAlgorithms?: readonly string[] | undefined;
}

interface Idle {
  readonly client: Client;
  readonly timer: NodeJS.Timeout;
}

/** No connections yet. */
export function createSshConnections(options: SshConnectionsOptions = {}): SshConnections {
  const idleMs = options.idleMs ?? 30_000;
  const idle = new Map<string, Idle[]>();
  const open = new Set<Client>();

  function takeIdle(key: string): Client | undefined {
    const taken = idle.get(key)?.pop();
    if (taken !== undefined) clearTimeout(taken.timer);
    return taken?.client;
  }

  function park(key: string, client: Client): void {
    const list = idle.get(key) ?? [];
    const timer = setTimeout(() => client.end(), idleMs);
    timer.unref();
    list.push({ client, timer });
    idle.set(key, list);
  }

  function drop(key: string, client: Client): void {
    open.delete(client);
    const left = (idle.get(key) ?? []).filter((entry) => entry.client !== client);
    if (left.length > 0) idle.set(key, left);
    else idle.delete(key);
  }

  async function connect(target: SshTarget, key: string, signal: AbortSignal | undefined): Promise<Client> {
    const client = await login(target, options, signal);
    open.add(client);
    client.once('close', () => drop(key, client));
    // An idle connection that breaks is of no interest; a busy one tells its command.
    client.on('error', () => {});
    return client;
  }

  return {
    async run(target, command, env, signal) {
      const key = targetKey(target);
      const kept = takeIdle(key);
      let client = kept ?? (await connect(target, key, signal));
      let channel: ClientChannel;
      try {
        channel = await exec(client, command, env, signal);
      } catch (error) {
        client.end();
        // The kept connection had died without telling.
        if (kept === undefined || signal?.aborted) throw error;
        client = await connect(target, key, signal);
        channel = await exec(client, command, env, signal);
      }
      return toCommand(channel, (reusable) => {
        if (reusable && open.has(client)) park(key, client);
        else client.end();
      });
    },
    close() {
      for (const client of open) client.destroy();
      for (const list of idle.values()) for (const { timer } of list) clearTimeout(timer);
      idle.clear();
    },
  };
}

function toCommand(channel: ClientChannel, release: (reusable: boolean) => void): SshCommand {
  let text = '';
  channel.stderr.on('data', (chunk: Buffer) => {
    if (text.length < 4096) text += chunk.toString('utf8');
  });
  let released = false;
  return {
    channel,
    stderr: () => text,
    release(reusable) {
      if (released) return;
      released = true;
      if (!reusable) channel.destroy();
      release(reusable);
    },
  };
}

function targetKey(target: SshTarget): string {
  const { host, port, user, login: identity, proxy } = target;
  const secret = [
    identity.identity,
    identity.knownHosts,
    identity.passphrase,
    proxy?.address,
    proxy?.username,
    proxy?.password,
  ];
  return `${user}@${host}:${port} ${createHash('sha256').update(JSON.stringify(secret)).digest('hex')}`;
}

async function login(
  target: SshTarget,
  options: SshConnectionsOptions,
  signal: AbortSignal | undefined,
): Promise<Client> {
  const timeoutMs = options.connectTimeoutMs ?? 20_000;
  const { Client } = (await import('ssh2')).default;
  await parseIdentity(target.login);
  const hosts = hostKeysFor(target.login.knownHosts, target.host, target.port);
  const socket = await dial(target, timeoutMs, signal);
  const client = new Client();
  let refusal: GitError | undefined;
  return new Promise<Client>((resolve, reject) => {
    const onAbort = () => fail(new GitError('GitTimeout', 'context deadline exceeded', {}, { cause: signal?.reason }));
    const settle = () => {
      signal?.removeEventListener('abort', onAbort);
      client.removeAllListeners();
    };
    const fail = (error: unknown) => {
      settle();
      client.on('error', () => {}).destroy();
      socket.destroy();
      reject(refusal ?? error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    client.once('ready', () => {
      settle();
      resolve(client);
    });
    client.on('error', (error) => fail(toGitError(error, target)));
    client.once('close', () => fail(new GitError('GitConnectionFailed', 'ssh: handshake failed: EOF')));
    client.connect({
      sock: socket,
      username: target.user,
      privateKey: target.login.identity,
      ...(target.login.passphrase === undefined ? {} : { passphrase: target.login.passphrase }),
      readyTimeout: timeoutMs,
      keepaliveInterval: 15_000,
      authHandler: ['none', 'publickey'],
      algorithms: {
        serverHostKey: hostKeyAlgorithms(hosts.types, options.hostKeyAlgorithms) as never,
        ...(options.kexAlgorithms === undefined ? {} : { kex: [...options.kexAlgorithms] as never }),
      },
      hostVerifier: (key: Buffer) => {
        const verdict = hosts.judge(key);
        if (verdict === 'known') return true;
        refusal = hostKeyError(verdict, target);
        return false;
      },
    });
  });
}

async function dial(target: SshTarget, timeoutMs: number, signal: AbortSignal | undefined): Promise<Socket> {
  try {
    return await openTunnel({
      host: target.host,
      port: target.port,
      timeoutMs,
      ...(target.proxy === undefined ? {} : { proxy: target.proxy }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    const { code, text } = describeFailure(error, signal ?? new AbortController().signal);
    const timedOut = code === 'RemoteTimeout' || code === 'RemoteAborted';
    throw new GitError(timedOut ? 'GitTimeout' : 'GitConnectionFailed', text, {}, { cause: error });
  }
}

const HOST_KEY_ALGORITHMS: readonly string[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];

// Only what known_hosts has a key for: else the server might show another of its keys, which we could not judge.
function hostKeyAlgorithms(types: readonly string[], allowed: readonly string[] = HOST_KEY_ALGORITHMS): string[] {
  const wanted = types.flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [type]));
  const usable = wanted.filter((type) => allowed.includes(type));
  return usable.length > 0 ? usable : [...allowed];
}

function hostKeyError(verdict: 'changed' | 'unknown' | 'revoked', target: SshTarget): GitError {
  const why = { changed: 'key mismatch', unknown: 'key is unknown', revoked: 'key is revoked' }[verdict];
  const hint = verdict === 'unknown' ? ` (add ${target.host} to known_hosts)` : '';
  return new GitError('GitHostKey', `ssh: handshake failed: knownhosts: ${why}${hint}`);
}

function toGitError(error: Error & { level?: string; code?: unknown }, target: SshTarget): GitError {
  if (error.level === 'client-authentication') {
    return new GitError(
      'GitAuthenticationRequired',
      `ssh: handshake failed: ssh: unable to authenticate as '${target.user}', attempted methods [none publickey], no supported methods remain`,
      {},
      { cause: error },
    );
  }
  if (error.level === 'client-timeout') {
    return new GitError('GitTimeout', 'ssh: handshake failed: i/o timeout', {}, { cause: error });
  }
  if (/no matching|handshake failed/i.test(error.message)) {
    return new GitError('GitHostKey', `ssh: handshake failed: ${error.message}`, {}, { cause: error });
  }
  return new GitError('GitConnectionFailed', `ssh: ${error.message}`, {}, { cause: error });
}

/**
 * Reads the private key.
 * @throws GitError GitAuthOptions: encrypted without a passphrase, wrong passphrase, kept in a hardware token, damaged
 */
export async function parseIdentity(login: SshLogin): Promise<ParsedKey> {
  const { utils } = (await import('ssh2')).default;
  const parsed = utils.parseKey(login.identity, login.passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!(key instanceof Error) && key !== undefined && key.isPrivateKey()) return key;
  const hardware = hardwareKeyType(login.identity);
  if (hardware !== undefined) {
    throw new GitError(
      'GitAuthOptions',
      `SSH identity of type '${hardware}' lives in a hardware token and cannot be used`,
    );
  }
  const message = key instanceof Error ? key.message : 'no private key';
  if (/no passphrase/i.test(message)) {
    throw new GitError('GitAuthOptions', "SSH identity key is encrypted but no 'password' field was provided");
  }
  if (/passphrase|decrypt|integrity|bad decrypt|unable to authenticate data/i.test(message)) {
    throw new GitError('GitAuthOptions', "SSH identity key cannot be decrypted with the given 'password'");
  }
  throw new GitError('GitAuthOptions', `SSH identity key cannot be read: ${message.slice(0, 100)}`);
}

// The public half of an OpenSSH key file names its type in clear.
function hardwareKeyType(identity: string): string | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(identity)?.[1];
  if (body === undefined) return undefined;
  return /sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com/.exec(
    Buffer.from(body, 'base64').toString('latin1'),
  )?.[0];
}

function exec(
  client: Client,
  command: string,
  env: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(new GitError('GitTimeout', 'context deadline exceeded', {}, { cause: signal?.reason }));
      client.destroy();
    };
    const onClose = () => reject(new GitError('GitConnectionFailed', 'ssh: connection closed'));
    signal?.addEventListener('abort', onAbort, { once: true });
    client.once('close', onClose);
    client.exec(command, { env }, (error, channel) => {
      signal?.removeEventListener('abort', onAbort);
      client.removeListener('close', onClose);
      if (error === undefined) resolve(channel);
      else reject(new GitError('GitConnectionFailed', `ssh: ${error.message}`, {}, { cause: error }));
    });
  });
}
