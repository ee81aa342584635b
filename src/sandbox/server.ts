// Owns the embedded API server as a process part: certificates, tokens, the listening socket, the state directory. What
// requests mean is rest/; what is stored is storage/.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { compileMessage, compileRule } from '../lang/cel/rule.ts';
import type { Clock } from '../lib/clock.ts';
import { createApi } from './api.ts';
import { createAuthenticator } from './auth/authenticate.ts';
import { createAuthorizer } from './auth/authorize.ts';
import { createVirtual } from './auth/reviews.ts';
import { forgetEvents } from './gc/events.ts';
import { createIdentity, type Identity } from './identity.ts';
import { createOpenApiV2 } from './openapi/v2.ts';
import { createOpenApiV3 } from './openapi/v3.ts';
import { handleConnection } from './rest/http.ts';
import { identities } from './rest/special.ts';
import { openStateLog } from './storage/log.ts';
import { Storage } from './storage/storage.ts';
import type { Store } from './store.ts';

export interface SandboxOptions {
  /** Where certificates, the token and the log of objects are kept. Absent: everything is in memory only. */
  readonly stateDir?: string;
  /** @default a free port */
  readonly port?: number;
  /** Address to listen on. @default '127.0.0.1' */
  readonly listen?: string;
  /** The time that objects are stamped with. @default the system's */
  readonly clock?: Pick<Clock, 'now'>;
  /** Called with faults that are bugs of the server. */
  readonly onBug?: (error: unknown) => void;
}

const EVENT_SWEEP_MS = 60_000;

/** A running embedded API server. */
export interface Sandbox {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly caPem: string;
  /** Bearer token of a cluster administrator. */
  readonly token: string;
  /** The objects without going through HTTP. */
  readonly store: Store;
  /** A kubeconfig for the administrator, as YAML. */
  kubeconfig(): string;
  /** Ends watches and connections, writes what is left to write. */
  close(): Promise<void>;
}

/** Starts the server and resolves when it answers. Rejects when the port is taken or the state cannot be read. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clock } = options;
  const now = (): Date => (clock ? new Date(clock.now()) : new Date());
  const identity = await createIdentity(options.stateDir, now());
  const storage = new Storage();
  const log = options.stateDir === undefined ? undefined : openStateLog(options.stateDir, storage);
  const api = createApi({ storage, now, rootCertificate: identity.caPem, rules: { compileRule, compileMessage } });
  identities.set(api.core, identity);
  const server = createServer({ key: identity.serverKeyPem, cert: identity.serverCertPem, keepAliveTimeout: 90_000 });
  const routes = {
    core: api.core,
    openApi: createOpenApiV3(api.core.builtins, api.core.registry),
    openApiV2: createOpenApiV2(api.core.builtins, api.core.registry),
    authorize: createAuthorizer(api.core),
    virtual: createVirtual(api.core, identity),
    onBug: options.onBug ?? (() => {}),
    address: () => addressOf(server),
  };
  const forgetting = setInterval(() => forgetEvents(api.core), EVENT_SWEEP_MS);
  forgetting.unref();
  const authenticate = createAuthenticator(api.core, identity);
  const connections = handleConnection(server, routes, { authenticate, onBug: options.onBug ?? (() => {}) });
  await listen(server, options);
  // Watches begin at what a server starts with, as those of a real one that fills its caches.
  storage.forget();
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    caPem: identity.caPem,
    token: identity.token,
    store: api.store,
    kubeconfig: () => kubeconfig(url, identity),
    async close() {
      clearInterval(forgetting);
      api.close();
      connections.end();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        connections.cut();
      });
      log?.close();
    },
  };
}

function addressOf(server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `127.0.0.1:${port}`;
}

function listen(server: Server, options: SandboxOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.listen ?? '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** JSON strings are valid YAML scalars, so this needs no YAML writer. */
function kubeconfig(url: string, identity: Identity): string {
  const ca = Buffer.from(identity.caPem).toString('base64');
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    '- name: lockstep',
    '  cluster:',
    `    certificate-authority-data: ${ca}`,
    `    server: ${url}`,
    'contexts:',
    '- name: lockstep',
    '  context:',
    '    cluster: lockstep',
    '    user: admin',
    'current-context: lockstep',
    'users:',
    '- name: admin',
    '  user:',
    `    token: ${identity.token}`,
    '',
  ].join('\n');
}
