// Owns a real container registry for tests (Debian's docker-registry): TLS with its own authority, a password, a folder
// for what is pushed; and pushing artifacts to it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHttpDoor, type HttpDoor } from '../../src/remote/http.ts';
import { createIdentity } from '../../src/sandbox/identity.ts';
import { freePorts } from '../cluster/processes.ts';
import { untilListening } from './sshd.ts';

const BINARY = ['/usr/bin/docker-registry', '/usr/local/bin/docker-registry'].find((path) => existsSync(path));

/** Whether a registry is installed. */
export const hasRegistry: boolean = BINARY !== undefined;

/** `open-sesame`, as htpasswd has it. */
const PASSWORD_HASH = '$2y$05$abcdefghijklmnopqrstuutXu9KzOt.1yBoZUeFWoT/914/JfszCO';

/** A layer or another blob. */
export interface Blob {
  readonly mediaType: string;
  readonly data: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What is pushed under a tag. */
export interface Push {
  readonly layers: readonly Blob[];
  readonly config?: Blob;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A running registry; it asks for `ada` / `open-sesame`. */
export interface DockerRegistry {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** The authority of its certificate, in PEM. */
  readonly ca: string;
  /** Pushes an artifact; answers the digest of its manifest. */
  push(repository: string, tag: string, artifact: Push): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a registry with its files in `dir`. */
export async function startDockerRegistry(dir: string): Promise<DockerRegistry> {
  mkdirSync(dir, { recursive: true });
  const { serverKeyPem, serverCertPem, caPem } = await createIdentity(undefined, new Date());
  writeFileSync(join(dir, 'key.pem'), serverKeyPem);
  writeFileSync(join(dir, 'cert.pem'), serverCertPem);
  writeFileSync(join(dir, 'htpasswd'), `ada:${PASSWORD_HASH}\n`);
  const [port = 0] = await freePorts(1);
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(dir, 'data') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, tls: { certificate: join(dir, 'cert.pem'), key: join(dir, 'key.pem') } },
    auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } },
  };
  // JSON is YAML.
  writeFileSync(join(dir, 'config.yml'), JSON.stringify(config));
  const child = spawn(BINARY!, ['serve', join(dir, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await untilListening(port, child);
  const host = `127.0.0.1:${port}`;
  const http = createHttpDoor();
  return {
    host,
    ca: caPem,
    push: (repository, tag, artifact) => push({ http, host, ca: caPem, repository }, tag, artifact),
    stop: async () => {
      await http.close();
      await new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      });
    },
  };
}

interface Target {
  readonly http: HttpDoor;
  readonly host: string;
  readonly ca: string;
  readonly repository: string;
}

const EMPTY: Blob = { mediaType: 'application/vnd.oci.empty.v1+json', data: Buffer.from('{}') };
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

async function push(target: Target, tag: string, { layers, config = EMPTY, annotations }: Push): Promise<string> {
  for (const blob of [config, ...layers]) await pushBlob(target, blob.data);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
    ...(annotations === undefined ? {} : { annotations }),
  });
  await send(target, 'PUT', `/v2/${target.repository}/manifests/${tag}`, manifest, MANIFEST);
  return digestOf(Buffer.from(manifest));
}

async function pushBlob(target: Target, data: Uint8Array): Promise<void> {
  const started = await send(target, 'POST', `/v2/${target.repository}/blobs/uploads/`, '');
  const place = new URL(started['location']!, `https://${target.host}`);
  place.searchParams.set('digest', digestOf(data));
  await send(target, 'PUT', place.pathname + place.search, data, 'application/octet-stream');
}

async function send(
  { http, host, ca }: Target,
  method: 'POST' | 'PUT',
  path: string,
  body: Uint8Array | string,
  type = 'application/json',
): Promise<Readonly<Record<string, string>>> {
  const answer = await http.request({
    url: `https://${host}${path}`,
    method,
    headers: { 'content-type': type },
    body,
    tls: { ca },
    authorization: `Basic ${Buffer.from('ada:open-sesame').toString('base64')}`,
  });
  const text = await answer.text();
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return answer.headers;
}

function descriptorOf({ mediaType, data, annotations }: Blob) {
  const descriptor = { mediaType, digest: digestOf(data), size: data.length };
  return annotations === undefined ? descriptor : { ...descriptor, annotations };
}

/** `sha256:<hex>` */
export function digestOf(data: Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
