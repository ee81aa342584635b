// Owns an OpenSSH server for tests: on loopback, its own keys, one user, one folder of repositories.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../cluster/processes.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => existsSync(path));

/** Whether an sshd is installed. */
export const hasSshd: boolean = SSHD !== undefined;

/** A running server. */
export interface Sshd {
  readonly port: number;
  readonly user: string;
  /** Private key that may log in. */
  readonly identity: string;
  /** Lines for known_hosts: all of the server's keys. */
  readonly knownHosts: string;
  /** `ssh://user@127.0.0.1:port/path` of a repository's folder. */
  url(dir: string): string;
  stop(): Promise<void>;
}

/** Options of `startSshd`. */
export interface SshdOptions {
  /** @default ['ed25519'] */
  readonly hostKeys?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** Whether clients may ask for protocol version 2. @default true */
  readonly acceptProtocol?: boolean;
  /** Lines of its configuration that go before all others, and so win over them. */
  readonly lines?: readonly string[];
}

/** Makes a key pair; returns the private key and writes both files. */
export function makeKey(path: string, type: string, passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path]);
  return readFileSync(path, 'utf8');
}

/** Starts the server with its files in `dir`. */
export async function startSshd(dir: string, options: SshdOptions = {}): Promise<Sshd> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const types = options.hostKeys ?? ['ed25519'];
  for (const type of types) makeKey(join(dir, `host_${type}`), type);
  const identity = makeKey(join(dir, 'user'), 'ed25519');
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(join(dir, 'user.pub')), { mode: 0o600 });
  const [port = 0] = await freePorts(1);
  const lines = [
    ...(options.lines ?? []),
    `ListenAddress 127.0.0.1:${port}`,
    ...types.map((type) => `HostKey ${join(dir, `host_${type}`)}`),
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel ERROR',
    `PidFile ${join(dir, 'pid')}`,
    ...(options.acceptProtocol === false ? [] : ['AcceptEnv GIT_PROTOCOL']),
  ];
  writeFileSync(join(dir, 'sshd_config'), `${lines.join('\n')}\n`);
  mkdirSync('/run/sshd', { recursive: true });
  const child = spawn(SSHD as string, ['-D', '-e', '-f', join(dir, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await untilListening(port, child);
  const knownHosts = types
    .map(
      (type) =>
        `[127.0.0.1]:${port} ${readFileSync(join(dir, `host_${type}.pub`), 'utf8')
          .split(' ')
          .slice(0, 2)
          .join(' ')}\n`,
    )
    .join('');
  const user = userInfo().username;
  return {
    port,
    user,
    identity,
    knownHosts,
    url: (path) => `ssh://${user}@127.0.0.1:${port}${path}`,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill();
      }),
  };
}

/** Waits until a port answers; fails when the process ends before. */
export async function untilListening(port: number, child: ChildProcess): Promise<void> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  for (;;) {
    if (child.exitCode !== null) throw new Error(`server ended with ${child.exitCode}: ${stderr}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('connect', () => socket.end());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
