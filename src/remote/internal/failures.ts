// Owns the translation of what sockets, TLS and undici throw into codes, in the words that Go programs use.

/** Kinds of failure that come from sockets, TLS and time. */
export type FailureCode =
  | 'RemoteConnect'
  | 'RemoteTls'
  | 'RemoteProxy'
  | 'RemoteTimeout'
  | 'RemoteAborted'
  | 'RemoteBroken';

/** A failure in words; `address` is `host:port` when known. */
export interface Failure {
  readonly code: FailureCode;
  readonly text: string;
  readonly address?: string;
}

const STALE: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Whether a connection ended before any answer, as kept connections do that the server has closed. */
export function isStaleConnection(error: unknown): boolean {
  return STALE.has(codeOf(error));
}

/** What an exchange threw, in words. `signal` is the exchange's own deadline. */
export function describeFailure(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) {
    const reason = signal.reason as { name?: unknown } | undefined;
    return reason?.name === 'TimeoutError'
      ? { code: 'RemoteTimeout', text: 'context deadline exceeded' }
      : { code: 'RemoteAborted', text: 'context canceled' };
  }
  const code = codeOf(error);
  const cause = deepest(error);
  const address = addressOf(cause);
  const dial = address === undefined ? 'dial tcp' : `dial tcp ${address}`;
  const message = cause instanceof Error ? cause.message : String(cause);
  switch (code) {
    case 'ECONNREFUSED':
      return connect(`${dial}: connect: connection refused`, address);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return connect(`${dial}: connect: no route to host`, address);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return connect(
        `dial tcp: lookup ${hostOf(cause)}: ${code === 'ENOTFOUND' ? 'no such host' : 'try again'}`,
        address,
      );
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { code: 'RemoteTimeout', text: `${dial}: i/o timeout`, ...(address === undefined ? {} : { address }) };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { code: 'RemoteTimeout', text: 'timeout awaiting response headers' };
    case 'UND_ERR_BODY_TIMEOUT':
      return { code: 'RemoteTimeout', text: 'timeout while reading the answer' };
    case 'ECONNRESET':
    case 'EPIPE':
      return { code: 'RemoteBroken', text: 'connection reset by peer' };
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_ABORTED':
    case 'Z_BUF_ERROR':
      return { code: 'RemoteBroken', text: 'unexpected EOF' };
    case 'EACCES':
      return connect(message, address);
  }
  if (code.startsWith('UND_ERR_PRX') || code.startsWith('UND_ERR_SOCKS') || /proxy/i.test(message)) {
    return { code: 'RemoteProxy', text: message };
  }
  const tls = describeTls(code, cause, message);
  return tls ?? { code: 'RemoteBroken', text: message };
}

function connect(text: string, address: string | undefined): Failure {
  return { code: 'RemoteConnect', text, ...(address === undefined ? {} : { address }) };
}

function describeTls(code: string, cause: unknown, message: string): Failure | undefined {
  const wrap = (text: string): Failure => ({ code: 'RemoteTls', text });
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return wrap('tls: failed to verify certificate: x509: certificate signed by unknown authority');
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return wrap('tls: failed to verify certificate: x509: certificate has expired or is not yet valid');
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const reason = (cause as { reason?: unknown }).reason;
      return wrap(`tls: failed to verify certificate: x509: ${typeof reason === 'string' ? reason : message}`);
    }
  }
  return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO' || /^CERT_/.test(code)
    ? wrap(`tls: ${message}`)
    : undefined;
}

function codeOf(error: unknown): string {
  const cause = deepest(error);
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

// undici wraps in `cause`; connecting to a name with several addresses gives an AggregateError of all attempts.
function deepest(error: unknown): unknown {
  let current = error;
  for (let depth = 0; depth < 5; depth++) {
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0];
    else if (current instanceof Error && current.cause instanceof Error && !('address' in current))
      current = current.cause;
    else break;
  }
  return current;
}

function addressOf(cause: unknown): string | undefined {
  const { address, port } = (cause ?? {}) as { address?: unknown; port?: unknown };
  if (typeof address !== 'string' || typeof port !== 'number') return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function hostOf(cause: unknown): string {
  const host = (cause as { hostname?: unknown } | undefined)?.hostname;
  return typeof host === 'string' ? host : 'the host';
}
