// Owns the texts of Git failures as users of Flux know them (flux.md §2.8), and what HTTP and socket failures mean for
// Git. Which condition they lead to is the controller's business.
import { GitError, type GitErrorData } from '../../engines/git/errors.ts';
import { cleanRemoteText } from '../../engines/git/protocol/refs.ts';
import { type HttpResponse, RemoteError } from '../http.ts';

/** What was under way when it failed: the head of the message says it. */
export type GitOperation = 'clone' | 'list' | 'push';

/** Failures that are about what was asked for, not about reaching the repository: they stand without a head. */
const PLAIN: ReadonlySet<string> = new Set([
  'GitNoSemverMatch',
  'GitSemverInvalid',
  'GitRefUnresolved',
  'GitRefInvalid',
  'GitCommitNotFound',
  'GitEmptyRepository',
  'GitAuthOptions',
]);

/**
 * The error with Flux's head: `unable to clone '<url>': …` or `unable to list remote for '<url>': …`.
 * Anything that is no Git failure comes back unchanged.
 */
export function withOperation(operation: GitOperation, url: string, error: unknown): unknown {
  if (!(error instanceof GitError) || PLAIN.has(error.code)) return error;
  const head = operation === 'list' ? 'unable to list remote for' : `unable to ${operation}`;
  return new GitError(error.code, `${head} '${url}': ${error.message}`, { url, ...error.data }, { cause: error });
}

/** The GitError for anything that the HTTP door threw. Other errors come back unchanged. */
export function fromRemoteError(error: unknown): unknown {
  if (!(error instanceof RemoteError)) return error;
  const data: GitErrorData = { url: error.data.url };
  const wrap = (code: GitError['code']) => new GitError(code, error.message, data, { cause: error });
  switch (error.code) {
    case 'RemoteTimeout':
    case 'RemoteAborted':
      return wrap('GitTimeout');
    case 'RemoteTls':
      return wrap('GitTlsFailed');
    case 'RemoteTooLarge':
      return wrap('GitLimitExceeded');
    case 'RemoteUrlInvalid':
      return wrap('GitUrlInvalid');
    case 'RemoteConnect':
    case 'RemoteProxy':
    case 'RemoteRedirect':
    case 'RemoteBroken':
      return wrap('GitConnectionFailed');
    default:
      return error.code satisfies never;
  }
}

/** Reads the body of a refusal and makes the GitError for it. `anonymous`: no credentials were sent. */
export async function statusError(answer: HttpResponse, anonymous: boolean): Promise<GitError> {
  const reason = await readReason(answer);
  const status = answer.status;
  const url = answer.url;
  const data: GitErrorData = { url: new URL(url).origin + new URL(url).pathname, status };
  switch (status) {
    case 203:
      // Azure DevOps, for a token that is wrong or has expired.
      return new GitError(
        'GitAuthenticationRequired',
        'authentication required: the server answered with a page to log in',
        data,
      );
    case 401: {
      const hint = anonymous ? ' (no credentials were given: set spec.secretRef)' : '';
      return new GitError('GitAuthenticationRequired', `authentication required: ${reason}${hint}`, data);
    }
    case 403:
      return new GitError('GitAuthorizationFailed', `authorization failed: ${reason}`, data);
    case 404:
      return new GitError('GitRepositoryNotFound', `repository not found: ${reason}`, data);
  }
  const retryAfter = retryAfterSeconds(answer.headers['retry-after']);
  return new GitError('GitHttpStatus', `unexpected requesting "${url}" status code: ${status}: ${reason}`, {
    ...data,
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter }),
  });
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  301: 'Moved Permanently',
  302: 'Found',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  410: 'Gone',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

// Servers explain themselves in the body, unless it is a page for browsers.
async function readReason(answer: HttpResponse): Promise<string> {
  const fallback = STATUS_TEXT[answer.status] ?? `status ${answer.status}`;
  const type = answer.headers['content-type'] ?? '';
  if (/html|octet-stream|json/i.test(type)) {
    answer.discard();
    return fallback;
  }
  try {
    const parts: Buffer[] = [];
    let total = 0;
    for await (const part of answer.body) {
      parts.push(part);
      total += part.length;
      if (total > 4096) break;
    }
    return cleanRemoteText(Buffer.concat(parts).toString('utf8')) || fallback;
  } catch {
    // The refusal itself is what matters; a body that breaks off adds nothing.
    return fallback;
  }
}

/** Seconds of a `Retry-After` header when it is a number; dates are left to the usual backoff. */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header.trim()) ? Number(header.trim()) : undefined;
}
