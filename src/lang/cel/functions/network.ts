// Owns Kubernetes' network functions in CEL: URLs, IP addresses and CIDR blocks.
import { failed } from '../errors.ts';
import { type CelFunction, fn, method } from '../function.ts';
import { type CelValue, Opaque } from '../value.ts';
import { type Address, formatAddress, isWithin, masked, parseAddress } from './address.ts';

const IP = 'net.IP';
const CIDR = 'net.CIDR';
const URL_TYPE = 'kubernetes.URL';

export function networkFunctions(): CelFunction[] {
  return [...urlFunctions(), ...ipFunctions(), ...cidrFunctions()];
}

interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

const URL_PATTERN = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/(?:[^/?@]*@)?([^/?]*))?(\/[^?]*|(?=\?|$))(?:\?(.*))?$/;

/** An absolute URI or an absolute path, as Go's ParseRequestURI takes them. */
function parseUrl(text: string): UrlParts | undefined {
  const match = URL_PATTERN.exec(text);
  if (match === null || /[\x00-\x20\x7f]/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(match[3] ?? '')) return undefined;
  const [, scheme = '', host = '', path = '', query = ''] = match;
  if (scheme === '' && path === '') return undefined;
  if (!/^(?:\[[0-9A-Fa-f:.%]+\]|[^[\]:]*)(?::\d*)?$/.test(host)) return undefined;
  return { scheme: scheme.toLowerCase(), host, path, query };
}

function urlFunctions(): CelFunction[] {
  const parts = (url: Opaque): UrlParts => url.data as UrlParts;
  const get = (name: string, read: (url: UrlParts) => string): CelFunction =>
    method(name, [URL_TYPE], 'string', (_call, url: Opaque) => read(parts(url)));
  return [
    fn('url', ['string'], URL_TYPE, (_call, text: string) => {
      const url = parseUrl(text);
      if (url === undefined)
        throw failed(
          `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
        );
      return new Opaque(URL_TYPE, text, url);
    }),
    fn('isURL', ['string'], 'bool', (_call, text: string) => parseUrl(text) !== undefined),
    get('getScheme', ({ scheme }) => scheme),
    get('getHost', ({ host }) => host),
    get('getHostname', ({ host }) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')),
    get('getPort', ({ host }) => /:(\d*)$/.exec(host)?.[1] ?? ''),
    get('getEscapedPath', ({ path }) => path),
    method('getQuery', [URL_TYPE], 'map', (_call, url: Opaque) => queryOf(parts(url).query)),
  ];
}

function queryOf(query: string): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const list = map.get(name);
    if (list === undefined) map.set(name, [value]);
    else list.push(value);
  }
  return map;
}

function addressOf(value: Opaque): Address {
  return value.data as Address;
}

function toIp(address: Address): Opaque {
  return new Opaque(IP, formatAddress(address), address);
}

function ipFunctions(): CelFunction[] {
  const ask = (name: string, answer: (address: Address) => CelValue): CelFunction =>
    method(name, [IP], 'bool', (_call, ip: Opaque) => answer(addressOf(ip)));
  const inBlock =
    (...blocks: string[]) =>
    (address: Address): boolean =>
      blocks.some((block) => isWithin(address, parseBlock(block)!));
  return [
    fn('ip', ['string'], IP, (_call, text: string) => toIp(requireAddress(text))),
    fn('isIP', ['string'], 'bool', (_call, text: string) => parseAddress(text) !== undefined),
    fn('ip.isCanonical', ['string'], 'bool', (_call, text: string) => formatAddress(requireAddress(text)) === text),
    method('family', [IP], 'int', (_call, ip: Opaque) => BigInt(addressOf(ip).family)),
    ask('isUnspecified', ({ bits }) => bits === 0n),
    ask('isLoopback', inBlock('127.0.0.0/8', '::1/128')),
    ask('isLinkLocalMulticast', inBlock('224.0.0.0/24', 'ff02::/16')),
    ask('isLinkLocalUnicast', inBlock('169.254.0.0/16', 'fe80::/10')),
    ask('isGlobalUnicast', (address) => isGlobalUnicast(address, inBlock)),
  ];
}

function isGlobalUnicast(address: Address, inBlock: (...blocks: string[]) => (address: Address) => boolean): boolean {
  const special = inBlock('127.0.0.0/8', '::1/128', '224.0.0.0/4', 'ff00::/8', '169.254.0.0/16', 'fe80::/10');
  const isBroadcast = address.family === 4 && address.bits === 0xffffffffn;
  return address.bits !== 0n && !isBroadcast && !special(address);
}

function requireAddress(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined)
    throw failed(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return address;
}

interface Block {
  readonly address: Address;
  readonly length: number;
}

function parseBlock(text: string): Block | undefined {
  const match = /^(.*)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match === null ? undefined : parseAddress(match[1]!);
  if (match === null || address === undefined) return undefined;
  const length = Number(match[2]);
  return length <= (address.family === 4 ? 32 : 128) ? { address, length } : undefined;
}

function requireBlock(text: string): Block {
  const block = parseBlock(text);
  if (block === undefined)
    throw failed(`network address parse error during conversion from string: ${JSON.stringify(text)}`);
  return block;
}

function toCidr(block: Block): Opaque {
  return new Opaque(CIDR, `${formatAddress(block.address)}/${block.length}`, block);
}

function cidrFunctions(): CelFunction[] {
  const blockOf = (cidr: Opaque): Block => cidr.data as Block;
  const containsBlock = (outer: Block, inner: Block): boolean =>
    inner.length >= outer.length && isWithin(inner.address, outer);
  return [
    fn('cidr', ['string'], CIDR, (_call, text: string) => toCidr(requireBlock(text))),
    fn('isCIDR', ['string'], 'bool', (_call, text: string) => parseBlock(text) !== undefined),
    method('containsIP', [CIDR, 'string'], 'bool', (_call, cidr: Opaque, text: string) =>
      isWithin(requireAddress(text), blockOf(cidr)),
    ),
    method('containsIP', [CIDR, IP], 'bool', (_call, cidr: Opaque, ip: Opaque) =>
      isWithin(addressOf(ip), blockOf(cidr)),
    ),
    method('containsCIDR', [CIDR, 'string'], 'bool', (_call, cidr: Opaque, text: string) =>
      containsBlock(blockOf(cidr), requireBlock(text)),
    ),
    method('containsCIDR', [CIDR, CIDR], 'bool', (_call, cidr: Opaque, other: Opaque) =>
      containsBlock(blockOf(cidr), blockOf(other)),
    ),
    method('ip', [CIDR], IP, (_call, cidr: Opaque) => toIp(blockOf(cidr).address)),
    method('masked', [CIDR], CIDR, (_call, cidr: Opaque) => {
      const { address, length } = blockOf(cidr);
      return toCidr({ address: masked(address, length), length });
    }),
    method('prefixLength', [CIDR], 'int', (_call, cidr: Opaque) => BigInt(blockOf(cidr).length)),
  ];
}
