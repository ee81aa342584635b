// Owns an nginx for tests: TLS with its own authority, client certificates, passwords, redirects, before another server.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../cluster/processes.ts';
import { untilListening } from './sshd.ts';

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path));

/** Whether an nginx is installed. */
export const hasNginx: boolean = NGINX !== undefined;

/** A running server. Its certificate is for `127.0.0.1` and `localhost`. */
export interface Nginx {
  /** `https://127.0.0.1:port`: TLS. */
  readonly url: string;
  /** As `url`, asks for a client certificate. */
  readonly mutualUrl: string;
  /** As `url`, asks for `ada` / `secret`. */
  readonly passwordUrl: string;
  /** As `url`, with a certificate that has expired. */
  readonly expiredUrl: string;
  /** Plain http; sends everything to `url` with 301. */
  readonly redirectUrl: string;
  /** Plain http; sends everything to `localhost` instead of `127.0.0.1` with 302. */
  readonly strangerUrl: string;
  readonly ca: string;
  readonly clientCert: string;
  readonly clientKey: string;
  stop(): Promise<void>;
}

/** Starts the server before `target` (`http://host:port`), with its files in `dir`. */
export async function startNginx(dir: string, target: string): Promise<Nginx> {
  mkdirSync(dir, { recursive: true });
  makeCertificates(dir);
  const ports = await freePorts(6);
  const [tls, mutual, password, expired, redirect, stranger] = ports as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const hash = createHash('sha1').update('secret').digest('base64');
  writeFileSync(join(dir, 'passwords'), `ada:{SHA}${hash}\n`);
  const secure = (port: number, name: string, extra = '') => `
    server { listen 127.0.0.1:${port} ssl; ssl_certificate ${dir}/${name}.crt; ssl_certificate_key ${dir}/${name}.key; ${extra}
      location / { proxy_pass ${target}; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off; } }`;
  const config = `
    daemon off; pid ${dir}/pid; error_log stderr error; worker_processes 1; user root;
    events { worker_connections 64; }
    http { access_log off; client_max_body_size 0; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
      fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
      ${secure(tls, 'server')}
      ${secure(mutual, 'server', `ssl_client_certificate ${dir}/ca.crt; ssl_verify_client on;`)}
      ${secure(password, 'server', `auth_basic "git"; auth_basic_user_file ${dir}/passwords; proxy_set_header Authorization "";`)}
      ${secure(expired, 'expired')}
      server { listen 127.0.0.1:${redirect}; return 301 https://127.0.0.1:${tls}$request_uri; }
      server { listen 127.0.0.1:${stranger}; return 302 https://localhost:${tls}$request_uri; } }`;
  writeFileSync(join(dir, 'nginx.conf'), config);
  const child = spawn(NGINX as string, ['-c', join(dir, 'nginx.conf'), '-p', dir], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for (const port of ports) await untilListening(port, child);
  const read = (name: string) => readFileSync(join(dir, name), 'utf8');
  return {
    url: `https://127.0.0.1:${tls}`,
    mutualUrl: `https://127.0.0.1:${mutual}`,
    passwordUrl: `https://127.0.0.1:${password}`,
    expiredUrl: `https://127.0.0.1:${expired}`,
    redirectUrl: `http://127.0.0.1:${redirect}`,
    strangerUrl: `http://127.0.0.1:${stranger}`,
    ca: read('ca.crt'),
    clientCert: read('client.crt'),
    clientKey: read('client.key'),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

function makeCertificates(dir: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '30',
    '-subj',
    '/CN=test authority',
  );
  writeFileSync(join(dir, 'san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  for (const name of ['server', 'client', 'expired']) {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    // An end before the beginning is what a certificate that ran out looks like.
    const days = name === 'expired' ? '-1' : '30';
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-days',
      days,
      '-extfile',
      'san',
    );
  }
}
