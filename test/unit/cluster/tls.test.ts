import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TlsOptions } from '../../../src/cluster/access.ts';
import { RestClient } from '../../../src/cluster/rest.ts';
import { systemClock as clock } from '../../../src/runtime/clock.ts';
import { createIdentity, type Identity } from '../../../src/sandbox/identity.ts';

let identity: Identity;
let server: Server;
let url: string;
beforeAll(async () => {
  identity = await createIdentity(undefined, new Date());
  const { serverKeyPem: key, serverCertPem: cert, caPem: ca } = identity;
  server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const certificate = (request.socket as TLSSocket).getPeerCertificate();
    response.end(
      JSON.stringify({ presented: 'subject' in certificate, authorization: request.headers.authorization ?? null }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function ask(tls: TlsOptions, authorization?: () => Promise<string>): Promise<unknown> {
  const access = { server: url, tls, ...(authorization === undefined ? {} : { authorization }) };
  const rest = new RestClient(access, { clock, random: () => 0, userAgent: 'test' });
  try {
    return await rest.json({ method: 'GET', path: '/version', idempotent: true });
  } finally {
    await rest.close();
  }
}

describe('TLS', () => {
  it('trusts the given CA and sends the token', async () => {
    const answer = await ask({ ca: identity.caPem }, () => Promise.resolve('Bearer t'));

    expect(answer).toEqual({ presented: false, authorization: 'Bearer t' });
  });

  it('presents the client certificate', async () => {
    const { caPem: ca, serverCertPem: cert, serverKeyPem: key } = identity;

    expect(await ask({ ca, cert, key })).toEqual({ presented: true, authorization: null });
  });

  it('trusts nobody else, and sends such a server no token', async () => {
    await expect(ask({}, () => Promise.resolve('Bearer t'))).rejects.toMatchObject({
      code: 'ApiUnreachable',
      message: expect.stringMatching(/certificate/),
    });
  });

  it('checks the name of the server', async () => {
    await expect(ask({ ca: identity.caPem, serverName: 'elsewhere.example' })).rejects.toMatchObject({
      code: 'ApiUnreachable',
      message: expect.stringMatching(/altnames/),
    });
  });

  it('checks nothing only when told so', async () => {
    expect(await ask({ insecure: true })).toMatchObject({ presented: false });
  });
});
