// Owns the error that everything about Git throws, from bytes to remote servers, and its codes. Knows no conditions.
import { CodedError } from '../../lib/errors.ts';

/** What can go wrong with Git. The remote codes carry the texts that users of Flux know (see remote/git/errors.ts). */
export type GitErrorCode =
  // bytes
  | 'GitCorruptObject'
  | 'GitCorruptPack'
  | 'GitUnsafeTree'
  | 'GitLimitExceeded'
  | 'GitObjectNotFound'
  | 'GitProtocol'
  // remotes
  | 'GitAuthenticationRequired'
  | 'GitAuthorizationFailed'
  | 'GitRepositoryNotFound'
  | 'GitEmptyRepository'
  | 'GitConnectionFailed'
  | 'GitTlsFailed'
  | 'GitTimeout'
  | 'GitHttpStatus'
  | 'GitRemoteMessage'
  | 'GitRefNotFound'
  | 'GitRefInvalid'
  | 'GitRefUnresolved'
  | 'GitNoSemverMatch'
  | 'GitSemverInvalid'
  | 'GitCommitNotFound'
  | 'GitPushRejected'
  | 'GitHostKey'
  | 'GitAuthOptions'
  | 'GitUrlInvalid'
  | 'GitUnsupported'
  | 'GitSubmodule'
  // signatures
  | 'GitSignature';

/** Facts about a Git failure; every member is optional and free of credentials. */
export interface GitErrorData {
  readonly url?: string;
  readonly ref?: string;
  readonly oid?: string;
  readonly path?: string;
  readonly status?: number;
  readonly offset?: number;
  readonly limit?: number;
  /** Seconds to wait, when the server named them (`Retry-After`). */
  readonly retryAfterSeconds?: number;
}

/** A failure of Git: bytes that are not what they claim, or a remote that does not give what was asked. */
export class GitError extends CodedError<GitErrorCode, GitErrorData> {
  constructor(code: GitErrorCode, message: string, data: GitErrorData = {}, options?: { cause?: unknown }) {
    super(code, message, data, options);
  }
}
