// Owns an HTTP proxy and a SOCKS5 proxy for tests: on loopback, with optional login, remembering what they were asked.
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';

/** A running proxy. */
export interface TestProxy {
  readonly address: string;
  /** Targets that were asked for: `CONNECT host:port`, `GET http://…`, `socks host:port`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** What a client must say to be served. */
export interface ProxyLogin {
  readonly username: string;
  readonly password: string;
}

/** Starts an HTTP proxy: tunnels, and plain forwarding for http. */
export async function startHttpProxy(login?: ProxyLogin): Promise<TestProxy> {
  const asked: string[] = [];
  const want =
    login === undefined ? undefined : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    if (request.headers['proxy-authorization'] !== want) return void response.writeHead(407).end();
    asked.push(`${request.method} ${request.url}`);
    const upstream = httpRequest(
      request.url ?? '',
      { method: request.method ?? 'GET', headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(upstream);
  });
  server.on('connect', (request, socket: Socket) => {
    if (request.headers['proxy-authorization'] !== want) return void socket.end('HTTP/1.1 407 No\r\n\r\n');
    asked.push(`CONNECT ${request.url}`);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    join(socket, connect(Number(port), host));
  });
  return running(server, 'http', asked);
}

/** Starts a SOCKS5 proxy. */
export async function startSocksProxy(login?: ProxyLogin): Promise<TestProxy> {
  const asked: string[] = [];
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    serveSocks(socket, asked, login).catch(() => socket.destroy());
  });
  return running(server, 'socks5', asked);
}

async function serveSocks(socket: Socket, asked: string[], login: ProxyLogin | undefined): Promise<void> {
  const next = () => new Promise<Buffer>((resolve) => socket.once('data', resolve));
  await next();
  socket.write(Buffer.from([5, login === undefined ? 0 : 2]));
  if (login !== undefined) {
    const given = await next();
    const name = given.subarray(2, 2 + (given[1] as number)).toString();
    const password = given.subarray(3 + (given[1] as number)).toString();
    const isRight = name === login.username && password === login.password;
    socket.write(Buffer.from([1, isRight ? 0 : 1]));
    if (!isRight) return void socket.end();
  }
  const request = await next();
  const isName = request[3] === 3;
  const length = isName ? (request[4] as number) : 4;
  const start = isName ? 5 : 4;
  const host = isName ? request.subarray(5, 5 + length).toString() : request.subarray(4, 8).join('.');
  const port = request.readUInt16BE(start + length);
  asked.push(`socks ${host}:${port}`);
  const upstream = connect(port, host);
  upstream.once('connect', () => {
    socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
    join(socket, upstream);
  });
  upstream.once('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
}

function join(a: Socket, b: Socket): void {
  a.on('error', () => b.destroy()).on('close', () => b.destroy());
  b.on('error', () => a.destroy()).on('close', () => a.destroy());
  a.pipe(b).pipe(a);
}

async function running(server: Server, scheme: string, asked: readonly string[]): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
