// Owns connection pools: one agent per TLS settings and proxy, shared and bounded. Knows nothing of requests.
import { createHash } from 'node:crypto';
import { lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { isExempt } from './no-proxy.ts';
import { openTunnel } from './tunnel.ts';

/** Whom to trust and as whom to appear in TLS. PEM texts. */
export interface AgentTls {
  /** Replaces the system's roots. */
  readonly ca?: string;
  /** Client certificate and key, both or none. */
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** Accepts any certificate. @default false */
  readonly insecureSkipVerify?: boolean;
}

/** A proxy; `http:`, `https:` and `socks5:` addresses. */
export interface AgentProxy {
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
}

/** What all agents share. */
export interface AgentPoolOptions {
  /** Proxies of the process environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), for requests that name none. */
  readonly environmentProxy?: { readonly http?: string; readonly https?: string; readonly none?: string };
  /** Bound on making a connection. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Refuses addresses that only a machine's own network answers (169.254.0.0/16, fe80::/10). @default false */
  readonly blockLinkLocal?: boolean;
}

/** Agents by what they trust and go through. */
export interface AgentPool {
  get(tls: AgentTls | undefined, proxy: AgentProxy | undefined, url: URL): Dispatcher;
  close(): Promise<void>;
}

// Credentials rotate: agents of certificates that are gone must not pile up.
const MAX_AGENTS = 128;
// Longer than the usual poll interval, so that polling re-uses its connection. Servers that close earlier say so, and
// a request that meets a closed connection is sent again.
const KEEP_ALIVE_MS = 30_000;

/** An empty pool. */
export function createAgentPool(options: AgentPoolOptions): AgentPool {
  const agents = new Map<string, Dispatcher>();
  return {
    get(tls, proxy, url) {
      if (options.blockLinkLocal === true && isLinkLocal(url.hostname.replace(/^\[|\]$/g, '')))
        throw linkLocal(url.hostname);
      const through = proxy ?? environmentProxy(options.environmentProxy, url);
      const key = agentKey(tls, through);
      let agent = agents.get(key);
      agents.delete(key);
      agent ??= createAgent(tls, through, options);
      agents.set(key, agent);
      if (agents.size > MAX_AGENTS) retireOldest(agents);
      return agent;
    },
    async close() {
      const all = [...agents.values()];
      agents.clear();
      await Promise.all(all.map((agent) => agent.destroy()));
    },
  };
}

function retireOldest(agents: Map<string, Dispatcher>): void {
  for (const [key, agent] of agents) {
    agents.delete(key);
    // Graceful: requests under way end first. Their errors reach whoever made them.
    agent.close().catch(() => {});
    return;
  }
}

function agentKey(tls: AgentTls | undefined, proxy: AgentProxy | undefined): string {
  const parts = [
    tls?.ca,
    tls?.cert,
    tls?.key,
    tls?.serverName,
    tls?.insecureSkipVerify === true ? 'insecure' : undefined,
    proxy?.address,
    proxy?.username,
    proxy?.password,
  ];
  if (parts.every((part) => part === undefined)) return '';
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function createAgent(tls: AgentTls | undefined, proxy: AgentProxy | undefined, options: AgentPoolOptions): Dispatcher {
  const connect = {
    timeout: options.connectTimeoutMs ?? 10_000,
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls?.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
    ...(options.blockLinkLocal === true ? { lookup: guardedLookup } : {}),
  };
  // HTTP/1.1 on purpose: one stalled answer then holds up one connection, not everything on the host.
  const shared = { allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, connections: 32, pipelining: 1 };
  if (proxy === undefined) return new Agent({ ...shared, connect });
  if (!URL.canParse(proxy.address)) throw unusableProxy();
  const address = new URL(proxy.address);
  if (address.protocol === 'socks5:' || address.protocol === 'socks5h:') {
    return new Agent({ ...shared, connect: tunnelConnector(proxy, connect) });
  }
  if (address.protocol !== 'http:' && address.protocol !== 'https:') throw unusableProxy();
  const username = proxy.username ?? decodeURIComponent(address.username);
  const password = proxy.password ?? decodeURIComponent(address.password);
  address.username = '';
  address.password = '';
  const token = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return new ProxyAgent({
    ...shared,
    uri: address.href,
    requestTls: connect,
    // As Go does it: a tunnel for https, a plain forwarded request for http.
    proxyTunnel: false,
    ...(username === '' ? {} : { token }),
  });
}

function unusableProxy(): Error {
  return Object.assign(new TypeError('proxy address is not a usable URL'), { code: 'UND_ERR_PRX_ADDRESS' });
}

// undici's own SOCKS agent warns on every start that it is an experiment; the tunnel is ours anyway, for SSH.
function tunnelConnector(
  proxy: AgentProxy,
  connect: buildConnector.BuildOptions & { timeout: number },
): buildConnector.connector {
  const upgrade = buildConnector({ ...connect, allowH2: false });
  return (options, callback) => {
    const isTls = options.protocol === 'https:';
    const port = Number(options.port || (isTls ? 443 : 80));
    openTunnel({ host: options.hostname.replace(/^\[|\]$/g, ''), port, proxy, timeoutMs: connect.timeout }).then(
      (socket) => (isTls ? upgrade({ ...options, httpSocket: socket }, callback) : callback(null, socket)),
      (error: Error) => callback(error, null),
    );
  };
}

function environmentProxy(environment: AgentPoolOptions['environmentProxy'], url: URL): AgentProxy | undefined {
  const address = url.protocol === 'https:' ? environment?.https : environment?.http;
  if (address === undefined || address === '' || isExempt(url, environment?.none ?? '')) return undefined;
  return { address: address.includes('://') ? address : `http://${address}` };
}

function guardedLookup(
  hostname: string,
  options: object,
  callback: (
    error: NodeJS.ErrnoException | null,
    address: string | { address: string; family: number }[],
    family?: number,
  ) => void,
): void {
  dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '');
    const allowed = addresses.filter(({ address }) => !isLinkLocal(address));
    const first = allowed[0];
    if (first === undefined) {
      return callback(linkLocal(hostname), '');
    }
    if ((options as { all?: boolean }).all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
}

function linkLocal(host: string): Error {
  return Object.assign(new Error(`${host} is a link-local address`), { code: 'EACCES' });
}

// Where AWS answers metadata on IPv6: not link-local by its prefix, and the same by its use.
const METADATA_IPV6 = 'fd00:ec2::254';

/** Whether an address is one that only the machine's own network answers. */
export function isLinkLocal(address: string): boolean {
  // An IPv4 address in an IPv6 one, as a URL spells it (`::ffff:a9fe:1`) and as people do.
  const plain = address.toLowerCase().replace(/^::ffff:/, '');
  if (isIP(plain) === 4) return plain.startsWith('169.254.');
  return /^a9fe:[0-9a-f]{1,4}$/.test(plain) || /^fe[89ab][0-9a-f]:/.test(plain) || plain === METADATA_IPV6;
}
