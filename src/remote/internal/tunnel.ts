// Owns opening a raw TCP connection, straight or through an HTTP or SOCKS5 proxy, for protocols that are not HTTP.
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** A proxy; `http:`, `https:` and `socks5:` addresses. */
export interface TunnelProxy {
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
}

/** Where to and by which way. */
export interface TunnelOptions {
  readonly host: string;
  readonly port: number;
  readonly proxy?: TunnelProxy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Opens the connection. Ends when the signal aborts or the time is over.
 * @throws system errors of the socket; Error with code `UND_ERR_PRX_REFUSED` when the proxy says no
 */
export async function openTunnel(options: TunnelOptions): Promise<Socket> {
  const { proxy } = options;
  if (proxy === undefined) return dial(options.host, options.port, false, options);
  const address = new URL(proxy.address);
  const isTls = address.protocol === 'https:';
  const isSocks = address.protocol === 'socks5:' || address.protocol === 'socks5h:';
  const port = Number(address.port || (isTls ? 443 : isSocks ? 1080 : 80));
  const login = {
    username: proxy.username ?? decodeURIComponent(address.username),
    password: proxy.password ?? decodeURIComponent(address.password),
  };
  const socket = await dial(address.hostname.replace(/^\[|\]$/g, ''), port, isTls, options);
  try {
    if (isSocks) await askSocks(socket, options, login);
    else await askHttp(socket, options, login);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

interface Login {
  readonly username: string;
  readonly password: string;
}

function dial(host: string, port: number, tls: boolean, options: TunnelOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(options.signal.reason);
    const socket = tls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    const timer = setTimeout(
      () => end(refused('ETIMEDOUT', `dial tcp ${host}:${port}: i/o timeout`)),
      options.timeoutMs,
    );
    const onAbort = () => end(options.signal?.reason);
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      socket.removeListener('error', end);
    };
    const end = (error: unknown) => {
      settle();
      // A destroyed socket may report once more.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    socket.once('error', end);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

async function askHttp(socket: Socket, options: TunnelOptions, login: Login): Promise<void> {
  const target = `${options.host}:${options.port}`;
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`];
  if (login.username !== '') {
    lines.push(`Proxy-Authorization: Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`);
  }
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const head = await readUntil(socket, options, (bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end < 0 ? 0 : end + 4;
  });
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1'))?.[1];
  if (status !== '200')
    throw refused('UND_ERR_PRX_REFUSED', `proxy refused the connection with status ${status ?? '?'}`);
}

const SOCKS_REPLIES: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'connection not allowed',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'TTL expired',
};

// RFC 1928 and 1929. The name is sent as it is: the proxy resolves it.
async function askSocks(socket: Socket, options: TunnelOptions, login: Login): Promise<void> {
  const hasLogin = login.username !== '';
  socket.write(hasLogin ? Buffer.from([5, 2, 0, 2]) : Buffer.from([5, 1, 0]));
  const choice = await readUntil(socket, options, (bytes) => (bytes.length >= 2 ? 2 : 0));
  if (choice[0] !== 5 || (choice[1] !== 0 && choice[1] !== 2)) {
    throw refused('UND_ERR_PRX_REFUSED', 'proxy accepts none of our ways to log in');
  }
  if (choice[1] === 2) {
    const name = Buffer.from(login.username);
    const password = Buffer.from(login.password);
    if (name.length > 255 || password.length > 255)
      throw refused('UND_ERR_PRX_REFUSED', 'proxy credentials are too long');
    socket.write(Buffer.concat([Buffer.from([1, name.length]), name, Buffer.from([password.length]), password]));
    const verdict = await readUntil(socket, options, (bytes) => (bytes.length >= 2 ? 2 : 0));
    if (verdict[1] !== 0) throw refused('UND_ERR_PRX_REFUSED', 'proxy refused the credentials');
  }
  const host = Buffer.from(options.host);
  if (host.length > 255) throw refused('UND_ERR_PRX_REFUSED', 'host name is too long for the proxy');
  const port = Buffer.from([options.port >> 8, options.port & 255]);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 3, host.length]), host, port]));
  const reply = await readUntil(socket, options, socksReplyLength);
  if (reply[1] !== 0) {
    throw refused('UND_ERR_PRX_REFUSED', `proxy: ${SOCKS_REPLIES[reply[1] as number] ?? 'refused'}`);
  }
}

function socksReplyLength(bytes: Buffer): number {
  if (bytes.length < 5) return 0;
  const address = bytes[3] === 1 ? 4 : bytes[3] === 4 ? 16 : 1 + (bytes[4] as number);
  return bytes.length >= 6 + address ? 6 + address : 0;
}

const MAX_REPLY_BYTES = 16 * 1024;

/** Reads exactly the bytes that `lengthOf` asks for (0 while more are needed); the rest goes back. */
function readUntil(socket: Socket, options: TunnelOptions, lengthOf: (bytes: Buffer) => number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const timer = setTimeout(() => finish(refused('ETIMEDOUT', 'proxy did not answer in time')), options.timeoutMs);
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const length = lengthOf(bytes);
      if (length > 0) finish(undefined, length);
      else if (bytes.length > MAX_REPLY_BYTES) finish(refused('UND_ERR_PRX_REFUSED', 'proxy answer is too long'));
    };
    const onEnd = () => finish(refused('UND_ERR_PRX_REFUSED', 'proxy closed the connection'));
    const onAbort = () => finish(options.signal?.reason);
    const finish = (error: unknown, length = 0) => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onEnd).off('error', finish);
      options.signal?.removeEventListener('abort', onAbort);
      if (error !== undefined) return reject(error);
      socket.pause();
      if (bytes.length > length) socket.unshift(bytes.subarray(length));
      resolve(bytes.subarray(0, length));
    };
    socket.on('data', onData).on('end', onEnd).on('error', finish);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.resume();
  });
}

function refused(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
