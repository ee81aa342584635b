// Owns an HTTPS server before an API server that lets in who shows its client certificate, and asks on with a token: a
// cluster whose users have certificates, wherever the real one has none.
import { request as ask, createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createIdentity } from '../../src/sandbox/identity.ts';

export interface CertificateFront {
  /** A kubeconfig as an object, its user with certificate and key inline. */
  readonly kubeconfig: object;
  /** Requests that were refused for want of the certificate. */
  refused(): number;
  close(): Promise<void>;
}

/** Starts it before the API server at `url`, whose certificate `ca` has signed. */
export async function startCertificateFront(url: string, ca: string, token: string): Promise<CertificateFront> {
  const { serverKeyPem: key, serverCertPem: cert, caPem } = await createIdentity(undefined, new Date());
  let refused = 0;
  const server = createServer({ key, cert, ca: caPem, requestCert: true, rejectUnauthorized: false });
  server.on('request', (request, response) => {
    if (!('subject' in (request.socket as TLSSocket).getPeerCertificate())) {
      refused += 1;
      response.writeHead(401).end();
      return;
    }
    const headers = { ...request.headers, host: new URL(url).host, authorization: `Bearer ${token}` };
    const onward = ask(`${url}${request.url}`, { method: request.method, headers, ca }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    kubeconfig: {
      'current-context': 'front',
      contexts: [{ name: 'front', context: { cluster: 'front', user: 'certificate' } }],
      clusters: [{ name: 'front', cluster: { server: address, 'certificate-authority-data': base64(caPem) } }],
      users: [
        {
          name: 'certificate',
          user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
        },
      ],
    },
    refused: () => refused,
    close: () => end(server),
  };
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
