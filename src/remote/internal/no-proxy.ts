// Owns the reading of NO_PROXY, as Go does it (golang.org/x/net/http/httpproxy): who is spoken with directly.
import { BlockList, isIP } from 'node:net';

/**
 * Whether a URL's host is exempt from the proxy. `none` is a list with commas: `*`, hosts, domains (with a leading dot
 * only what is below them), addresses, each with `:port` or without, and ranges such as `10.0.0.0/8`. Loopback is
 * always exempt.
 */
export function isExempt(url: URL, none: string): boolean {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || /^127\./.test(host)) return true;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return none.split(',').some((item) => covers(item.trim().toLowerCase(), host, port));
}

function covers(item: string, host: string, port: string): boolean {
  if (item === '') return false;
  if (item === '*') return true;
  if (item.includes('/')) return isInRange(host, item);
  const [name, wantPort] = isIP(item) === 6 ? [item, undefined] : splitPort(item);
  if (wantPort !== undefined && wantPort !== port) return false;
  if (isIP(host) !== 0) return host === name;
  if (name.startsWith('*.') || name.startsWith('.')) return host.endsWith(name.replace(/^\*/, ''));
  return host === name || host.endsWith(`.${name}`);
}

/** `host:port` and `[::1]:port` in two; the port is undefined when there is none. */
function splitPort(item: string): [string, string | undefined] {
  const [, name = item, port] = /^(.*?)(?::(\d+))?$/.exec(item) ?? [];
  return [name.replace(/^\[|\]$/g, ''), port];
}

function isInRange(address: string, range: string): boolean {
  const family = isIP(address);
  const [network = '', bits = ''] = range.split('/');
  if (family === 0 || isIP(network) !== family || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 4 ? 32 : 128)) return false;
  const block = new BlockList();
  const name = family === 4 ? 'ipv4' : 'ipv6';
  block.addSubnet(network, Number(bits), name);
  return block.check(address, name);
}
