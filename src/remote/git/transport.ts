// Owns the words that everybody uses to speak with a Git server: what a transport can do, and with which credentials.
import type { ObjectFormat } from '../../engines/git/oid.ts';
import type { RemoteRef } from '../../engines/git/protocol/refs.ts';
import type { ProxySettings, TlsSettings } from '../http.ts';

/** Name and password, or what stands for them. */
export interface BasicLogin {
  readonly username: string;
  readonly password: string;
}

/** An SSH identity and the hosts that are trusted. */
export interface SshLogin {
  /** Private key, PEM or OpenSSH. */
  readonly identity: string;
  /** Lines of a `known_hosts` file. */
  readonly knownHosts: string;
  /** Of the private key. */
  readonly passphrase?: string;
}

/** Credentials for one repository. All absent means anonymous. Nothing here is ever put into an error or a log. */
export interface GitAuth {
  readonly basic?: BasicLogin;
  readonly bearerToken?: string;
  /** Credentials that are made when needed (GitHub App, cloud identities). Asked before each request; callers cache. */
  readonly dynamic?: (signal?: AbortSignal) => Promise<BasicLogin | { readonly bearerToken: string }>;
  readonly ssh?: SshLogin;
  readonly tls?: TlsSettings;
  readonly proxy?: ProxySettings;
}

/** What to list. */
export interface LsRefsRequest {
  /** Only refs whose names begin with one of these; all when empty. */
  readonly prefixes: readonly string[];
  readonly signal?: AbortSignal;
}

/** Refs as the server has them now, tags peeled, symbolic refs with their target. */
export interface RefList {
  readonly refs: readonly RemoteRef[];
  readonly format: ObjectFormat;
}

/** What to fetch. */
export interface FetchRequest {
  readonly wants: readonly string[];
  /** Commits whose whole content is here already. @default none */
  readonly haves?: readonly string[];
  /** Commits here whose parents are not. @default none */
  readonly shallow?: readonly string[];
  /** Commits of history per want; the whole history when absent. */
  readonly depth?: number;
  /** Partial clone filter, `blob:none`. Refused with GitUnsupported where the server has none. */
  readonly filter?: string;
  readonly signal?: AbortSignal;
  /** Bound on the pack's size on the wire. @default 4 GiB */
  readonly maxPackBytes?: number;
}

/** A pack on its way. It must be read to the end or `cancel`led. */
export interface FetchedPack {
  /** Commits that are shallow from now on. */
  readonly shallow: readonly string[];
  /** Commits that are shallow no more. */
  readonly unshallow: readonly string[];
  readonly format: ObjectFormat;
  readonly pack: AsyncIterable<Buffer>;
  cancel(): void;
}

/** One change of a ref. All zeros as `oldOid` creates, as `newOid` deletes. */
export interface RefUpdate {
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
}

/** What to push. The server refuses an update whose `oldOid` is not what it has. */
export interface PushRequest {
  readonly updates: readonly RefUpdate[];
  /** A pack with everything that the new tips need and the server lacks. Absent for deletions. */
  readonly pack?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** A Git server, one repository of it. Every function may be called at any time, also several at once. */
export interface GitTransport {
  /** The repository's URL without credentials. */
  readonly url: string;
  lsRefs(request: LsRefsRequest): Promise<RefList>;
  fetch(request: FetchRequest): Promise<FetchedPack>;
  /** Throws GitError GitPushRejected with the server's reason when any update was refused. */
  push(request: PushRequest): Promise<void>;
  /** Whether objects can be left out by a filter. Asks the server when that is not known yet. */
  canFilter(signal?: AbortSignal): Promise<boolean>;
  /** Whether any commit may be asked for by name, not only tips of refs. */
  canWantAny(signal?: AbortSignal): Promise<boolean>;
}
