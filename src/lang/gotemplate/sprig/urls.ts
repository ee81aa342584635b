// Owns sprig's URL functions: Go's net/url, taking apart and putting together.

import { func, type GoFunction } from '../function.ts';
import { fromBytes, quote, toBytes } from '../gostring.ts';
import { GoError, type GoMap, type GoValue, kindOf, MAP, STRING } from '../value.ts';
import { parseIp } from './ip.ts';

export function urlFunctions(): [string, GoFunction][] {
  return [
    ['urlParse', func([STRING], urlParse)],
    ['urlJoin', func([MAP], urlJoin)],
  ];
}

interface Url {
  readonly scheme: string;
  readonly opaque: string;
  /** Escaped; undefined when there is none. */
  readonly userinfo: string | undefined;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  readonly forceQuery?: boolean;
}

function urlParse(text: string): GoMap {
  const url = parsed(text, 'unable to parse url');
  return new Map<string, GoValue>([
    ['scheme', url.scheme],
    ['host', url.host],
    ['hostname', hostname(url.host)],
    ['path', url.path],
    ['query', url.query],
    ['opaque', url.opaque],
    ['fragment', url.fragment],
    ['userinfo', url.userinfo ?? ''],
  ]);
}

function parsed(text: string, failure: string): Url {
  const hash = text.indexOf('#');
  const main = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  try {
    return { ...parseWithoutFragment(main), fragment: unescapePart(fragment, 'fragment') };
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`${failure}: parse ${quote(fragment === '' ? main : text)}: ${error.message}`, { cause: error });
  }
}

const EMPTY: Url = { scheme: '', opaque: '', userinfo: undefined, host: '', path: '', query: '', fragment: '' };

function parseWithoutFragment(text: string): Url {
  if (/[\x00-\x1f\x7f]/.test(text)) throw new GoError('net/url: invalid control character in URL');
  if (text === '*') return { ...EMPTY, path: '*' };
  if (text.startsWith(':')) throw new GoError('missing protocol scheme');
  const scheme = (/^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? '').toLowerCase();
  const afterScheme = scheme === '' ? text : text.slice(scheme.length + 1);
  const question = afterScheme.indexOf('?');
  const query = question < 0 ? '' : afterScheme.slice(question + 1);
  const rest = question < 0 ? afterScheme : afterScheme.slice(0, question);
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...EMPTY, scheme, query, opaque: rest };
    if (rest.split('/')[0]!.includes(':')) throw new GoError('first path segment in URL cannot contain colon');
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  if (!hasAuthority) return { ...EMPTY, scheme, query, path: unescapePart(rest, 'path') };
  const slash = rest.indexOf('/', 2);
  const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
  const { userinfo, host } = parseAuthority(scheme, authority);
  return { ...EMPTY, scheme, query, userinfo, host, path: unescapePart(slash < 0 ? '' : rest.slice(slash), 'path') };
}

function parseAuthority(scheme: string, authority: string): { userinfo: string | undefined; host: string } {
  const at = authority.lastIndexOf('@');
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at < 0) return { userinfo: undefined, host };
  const text = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) throw new GoError('net/url: invalid userinfo');
  const colon = text.indexOf(':');
  const user = escapePart(unescapePart(colon < 0 ? text : text.slice(0, colon), 'userinfo'), 'userinfo');
  const password = colon < 0 ? '' : `:${escapePart(unescapePart(text.slice(colon + 1), 'userinfo'), 'userinfo')}`;
  return { userinfo: user + password, host };
}

function parseHost(scheme: string, host: string): string {
  const open = host.lastIndexOf('[');
  if (open > 0) throw new GoError('invalid IP-literal');
  if (open === 0) return parseIpLiteral(host);
  const isStrict = scheme === 'http' || scheme === 'https';
  const colon = isStrict ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0) checkPort(host.slice(colon));
  return unescapePart(host, 'host');
}

function parseIpLiteral(host: string): string {
  const close = host.lastIndexOf(']');
  if (close < 0) throw new GoError("missing ']' in host");
  checkPort(host.slice(close + 1));
  const literal = host.slice(1, close);
  const zone = literal.indexOf('%25');
  const address = zone < 0 ? unescapePart(literal, 'host') : unescapePart(literal.slice(0, zone), 'host');
  if (parseIp(address)?.length !== 16)
    throw new GoError(`invalid host: ParseAddr(${quote(address)}): unable to parse IP`);
  return `[${address}${zone < 0 ? '' : unescapePart(literal.slice(zone), 'zone')}]${host.slice(close + 1)}`;
}

function checkPort(text: string): void {
  if (!/^(?::[0-9]*)?$/.test(text)) throw new GoError(`invalid port ${quote(text)} after host`);
}

function hostname(host: string): string {
  const withoutPort = host.replace(/:[0-9]*$/, '');
  const inner = /^\[(.*)\]$/.exec(withoutPort);
  return inner ? inner[1]! : host.startsWith('[') ? host.slice(1, host.lastIndexOf(']')) : withoutPort;
}

// ---- escaping -----------------------------------------------------------------------------------

type Part = 'path' | 'host' | 'zone' | 'userinfo' | 'fragment';

/** Characters besides letters, digits and `-_.~` that stand for themselves. */
const LITERAL: Readonly<Record<Part, RegExp>> = {
  path: /[$&+,/:;=@]/,
  host: /[!$&'()*+,;=:[\]<>"]/,
  zone: /[!$&'()*+,;=:[\]<>"]/,
  userinfo: /[$&+,;=]/,
  fragment: /[$&+,/:;=?@!()*]/,
};

function needsEscape(char: string, part: Part): boolean {
  return !/[A-Za-z0-9\-_.~]/.test(char) && !LITERAL[part].test(char);
}

function escapePart(text: string, part: Part): string {
  let out = '';
  for (const byte of toBytes(text)) {
    const char = String.fromCharCode(byte);
    const isEscaped = byte >= 0x80 || needsEscape(char, part);
    out += isEscaped ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : char;
  }
  return out;
}

function unescapePart(text: string, part: Part): string {
  const source = toBytes(text);
  const isHost = part === 'host' || part === 'zone';
  const bytes: number[] = [];
  for (let at = 0; at < source.length; at++) {
    const byte = source[at]!;
    const char = String.fromCharCode(byte);
    if (char === '%') {
      bytes.push(unescapeAt(source, at, part));
      at += 2;
    } else if (isHost && byte < 0x80 && needsEscape(char, part)) {
      throw new GoError(`invalid character ${quote(char)} in host name`);
    } else bytes.push(byte);
  }
  return fromBytes(Uint8Array.from(bytes));
}

function unescapeAt(source: Uint8Array, at: number, part: Part): number {
  const token = fromBytes(source.subarray(at, at + 3));
  if (!/^%[0-9a-fA-F]{2}$/.test(token)) throw new GoError(`invalid URL escape ${quote(token)}`);
  const byte = Number.parseInt(token.slice(1), 16);
  // Host names may only escape what is not ASCII, zones nearly everything.
  if (part === 'host' && byte < 0x80 && token !== '%25') throw new GoError(`invalid URL escape ${quote(token)}`);
  if (
    part === 'zone' &&
    token !== '%25' &&
    byte !== 0x20 &&
    byte < 0x80 &&
    needsEscape(String.fromCharCode(byte), 'host')
  ) {
    throw new GoError(`invalid URL escape ${quote(token)}`);
  }
  return byte;
}

// ---- joining ------------------------------------------------------------------------------------

function urlJoin(parts: GoMap): string {
  const userinfo = textAt(parts, 'userinfo');
  return formatUrl({
    scheme: textAt(parts, 'scheme'),
    host: textAt(parts, 'host'),
    path: textAt(parts, 'path'),
    query: textAt(parts, 'query'),
    opaque: textAt(parts, 'opaque'),
    fragment: textAt(parts, 'fragment'),
    userinfo:
      userinfo === '' ? undefined : parsed(`proto://${userinfo}@host`, 'unable to parse userinfo in dict').userinfo,
  });
}

function textAt(parts: GoMap, key: string): string {
  if (!parts.has(key)) return '';
  const value = parts.get(key);
  if (typeof value === 'string') return value;
  if (value === null) throw new GoError('runtime error: invalid memory address or nil pointer dereference');
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${kindOf(value)} found`);
}

function formatUrl(url: Url): string {
  let out = url.scheme === '' ? '' : `${url.scheme}:`;
  if (url.opaque !== '') out += url.opaque;
  else {
    const hasUser = url.userinfo !== undefined;
    if ((url.scheme !== '' || url.host !== '' || hasUser) && (url.host !== '' || url.path !== '' || hasUser))
      out += '//';
    if (hasUser) out += `${url.userinfo}@`;
    out += escapePart(url.host, 'host');
    const path = url.path === '*' ? '*' : escapePart(url.path, 'path');
    if (path !== '' && !path.startsWith('/') && url.host !== '') out += '/';
    if (out === '' && path.split('/')[0]!.includes(':')) out += './';
    out += path;
  }
  if (url.query !== '') out += `?${url.query}`;
  return url.fragment === '' ? out : `${out}#${escapePart(url.fragment, 'fragment')}`;
}
