// The HTTP server's own rules: which hosts it answers for, malformed paths, routes in order, the end.
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { type HttpServerOptions, send, startHttpServer, urlHost } from '../../../src/server/http-server.ts';

/** Status and text of a GET with a Host header of one's choosing. */
function get(port: number, path: string, host: string): Promise<readonly [number | undefined, string]> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, async (answer) => {
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      resolve([answer.statusCode, text]);
    });
    asked.on('error', reject).end();
  });
}

async function withServer<T>(options: Partial<HttpServerOptions>, use: (port: number) => Promise<T>): Promise<T> {
  const server = await startHttpServer({ port: 0, routes: [], ...options });
  try {
    return await use(server.port);
  } finally {
    await server.close();
  }
}

const hello: HttpServerOptions['routes'][number] = (_request, response, path) => {
  if (path !== '/hello') return false;
  send(response, 200, 'hello');
  return true;
};

describe('HTTP server', () => {
  it.each([
    ['127.0.0.1:8080', 200],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['[::1]:8080', 200],
    ['lockstep.flux-system.svc', 200],
    ['evil.example.com', 421],
    ['localhost.evil.example.com:80', 421],
  ])('on loopback, to %s, answers %i', async (host, status) => {
    const answer = await withServer({ routes: [hello], hosts: ['lockstep.flux-system.svc'] }, (port) =>
      get(port, '/hello', host),
    );

    expect(answer[0]).toBe(status);
  });

  it('asks its routes in order, and has words for what none knows', async () => {
    const answers = await withServer({ routes: [() => false, hello] }, (port) =>
      Promise.all(['/hello?x=1', '/%68ello', '/other', '/%zz'].map((path) => get(port, path, 'localhost'))),
    );

    expect(answers).toEqual([
      [200, 'hello'],
      [200, 'hello'],
      [404, 'not found\n'],
      [400, 'malformed path\n'],
    ]);
  });

  it('hides what went wrong inside', async () => {
    const routes = [() => Promise.reject(new Error('secret'))];

    expect(await withServer({ routes }, (port) => get(port, '/', 'localhost'))).toEqual([500, 'internal error\n']);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '[::1]'],
    ['::1', '[::1]'],
    ['fd00::7', '[fd00::7]'],
    ['node-1', 'node-1'],
  ])('names %s in URLs as %s', (listen, host) => {
    expect(urlHost(listen)).toBe(host);
  });
});
