// Owns the choice of a transport by URL.
import { GitError } from '../../engines/git/errors.ts';
import type { HttpDoor } from '../http.ts';
import { createServerMemory, type ServerMemory } from './memory.ts';
import { createSmartHttp } from './smart-http.ts';
import { createSshTransport } from './ssh.ts';
import { createSshConnections, type SshConnections } from './ssh-connection.ts';
import type { GitAuth, GitTransport } from './transport.ts';

/** What transports share. */
export interface TransportOptions {
  readonly http: HttpDoor;
  /** Keep one per process: it spares the discovery of every poll but the first. @default a new one */
  readonly memory?: ServerMemory;
  /** Keep one per process: it spares the login of every poll but the first. @default a new one, nothing kept */
  readonly ssh?: SshConnections;
  /** Shown to servers. @default 'lockstep' */
  readonly agent?: string;
  /** Bound on one exchange where no signal ends it earlier. @default 600000 */
  readonly timeoutMs?: number;
}

/**
 * A transport for the repository at `url`: `http:`, `https:` or `ssh:`. Nothing is sent yet.
 * @throws GitError GitUrlInvalid; GitAuthOptions when the credentials do not fit the scheme
 */
export function openTransport(url: string, auth: GitAuth, options: TransportOptions): GitTransport {
  if (!URL.canParse(url)) throw new GitError('GitUrlInvalid', 'not a URL');
  const { protocol } = new URL(url);
  if (protocol === 'http:' || protocol === 'https:') {
    return createSmartHttp(url, auth, { ...options, memory: options.memory ?? createServerMemory() });
  }
  if (protocol === 'ssh:') {
    const connections = options.ssh ?? createSshConnections({ idleMs: 0 });
    return createSshTransport(url, auth, { ...options, connections });
  }
  throw new GitError('GitUrlInvalid', `unsupported scheme "${protocol.slice(0, -1)}"`);
}
