// Owns the `format` keyword of early JSON Schema drafts: what is wrong with a text, in the validator's words.

import { compileRegexp } from '../../../lib/regexp.ts';
import { parseStrictVersion } from '../../../lib/semver.ts';

type Check = (text: string) => string | undefined;

/** What is wrong with a text of that format; undefined when nothing is, or the format is not known. */
export function checkFormat(format: string, text: string): string | undefined {
  return Object.hasOwn(CHECKS, format) ? CHECKS[format]!(text) : undefined;
}

const CHECKS: Record<string, Check> = {
  date: checkDate,
  time: checkTime,
  'date-time': checkDateTime,
  email: checkEmail,
  hostname: checkHostname,
  ipv4: checkIpv4,
  ipv6: checkIpv6,
  uri: checkUri,
  iri: checkUri,
  'uri-reference': (text) => (text.includes('\\') ? 'contains \\' : checkUriText(text)),
  'iri-reference': (text) => (text.includes('\\') ? 'contains \\' : checkUriText(text)),
  uuid: checkUuid,
  'json-pointer': checkPointer,
  regex: (text) => failureOf(() => compileRegexp(text)),
  semver: (text) => failureOf(() => parseStrictVersion(text)),
};

function failureOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function checkDate(text: string): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null)
    return `parsing time ${JSON.stringify(text)} as "2006-01-02": cannot parse ${JSON.stringify(text)} as "2006"`;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  if (month < 1 || month > 12) return `parsing time ${JSON.stringify(text)}: month out of range`;
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return day < 1 || day > last ? `parsing time ${JSON.stringify(text)}: day out of range` : undefined;
}

function checkTime(text: string): string | undefined {
  if (text.length < 9) return 'less than 9 characters long';
  if (text[2] !== ':' || text[5] !== ':') return 'missing colon in correct place';
  const match = /^(\d{2}):(\d{2}):(\d{2})/.exec(text);
  if (match === null) return 'invalid hour/min/sec';
  const [hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  if (hour > 23 || minute > 59 || second > 60) return 'hour/min/sec out of range';
  const rest = text.slice(8).replace(/^\.\d+/, '');
  if (rest.startsWith('.')) return 'no digits in second fraction';
  if (rest === 'z' || rest === 'Z') return checkLeapSecond(hour * 60 + minute, second);
  if (rest.length !== 6) return 'offset must be 6 characters long';
  if (rest[0] !== '+' && rest[0] !== '-') return 'offset must begin with plus/minus';
  if (rest[3] !== ':') return 'missing colon in offset in correct place';
  const offset = /^(\d{2}):(\d{2})$/.exec(rest.slice(1));
  if (offset === null) return 'invalid hour/min in offset';
  const [hours = 0, minutes = 0] = offset.slice(1).map(Number);
  if (hours > 23 || minutes > 59) return 'hour/min in offset out of range';
  const sign = rest[0] === '+' ? -1 : 1;
  const utc = hour * 60 + minute + sign * (hours * 60 + minutes);
  return checkLeapSecond(utc < 0 ? utc + 24 * 60 : utc, second);
}

function checkLeapSecond(minuteOfDay: number, second: number): string | undefined {
  return second >= 60 && minuteOfDay !== 23 * 60 + 59 ? 'invalid leap second' : undefined;
}

function checkDateTime(text: string): string | undefined {
  if (text.length < 20) return 'less than 20 characters long';
  if (text[10] !== 't' && text[10] !== 'T') return '11th character must be t or T';
  const date = checkDate(text.slice(0, 10));
  if (date !== undefined) return `invalid date element: ${date}`;
  const time = checkTime(text.slice(11));
  return time === undefined ? undefined : `invalid time element: ${time}`;
}

function checkEmail(text: string): string | undefined {
  if (text.length > 254) return 'more than 255 characters long';
  const at = text.lastIndexOf('@');
  if (at < 0) return 'missing @';
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (local.length > 64) return 'local part more than 64 characters long';
  if (!/^".*"$/.test(local)) {
    if (local.startsWith('.')) return 'starts with dot';
    if (local.endsWith('.')) return 'ends with dot';
    if (local.includes('..')) return 'consecutive dots';
    const bad = /[^a-zA-Z0-9.!#$%&'*+\-/=?^_`{|}~]/u.exec(local)?.[0];
    if (bad !== undefined) return `invalid character '${bad}'`;
  } else if (/[\\"]/.test(local.slice(1, -1))) return 'backslash and quote are not allowed within quoted local part';
  const literal = /^\[(.*)\]$/.exec(domain)?.[1];
  if (literal === undefined) return prefixed('invalid domain', checkHostname(domain));
  if (literal.startsWith('IPv6:')) return prefixed('invalid ipv6 address', checkIpv6(literal.slice('IPv6:'.length)));
  return prefixed('invalid ipv4 address', checkIpv4(literal));
}

function prefixed(prefix: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${prefix}: ${problem}`;
}

function checkHostname(text: string): string | undefined {
  const name = text.replace(/\.$/, '');
  if (name.length > 253) return 'more than 253 characters long';
  for (const label of name.split('.')) {
    if (label.length < 1 || label.length > 63) return 'label must be 1 to 63 characters long';
    if (label.startsWith('-')) return 'label starts with hyphen';
    if (label.endsWith('-')) return 'label ends with hyphen';
    const bad = /[^a-zA-Z0-9-]/u.exec(label)?.[0];
    if (bad !== undefined) return `invalid character '${bad}'`;
  }
  return undefined;
}

function checkIpv4(text: string): string | undefined {
  const groups = text.split('.');
  if (groups.length !== 4) return 'expected four decimals';
  for (const group of groups) {
    if (group.length > 1 && group.startsWith('0')) return 'leading zeros';
    if (!/^[+-]?\d+$/.test(group)) return `strconv.Atoi: parsing ${JSON.stringify(group)}: invalid syntax`;
    if (Number(group) < 0 || Number(group) > 255) return 'decimal must be between 0 and 255';
  }
  return undefined;
}

function checkIpv6(text: string): string | undefined {
  if (!text.includes(':')) return 'missing colon';
  if (text.includes('%')) return 'zone id is not a part of ipv6 address';
  return isIpv6(text) ? undefined : `ParseAddr(${JSON.stringify(text)}): unable to parse IP`;
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const embedded = last.includes('.');
  if (embedded && checkIpv4(last) !== undefined) return false;
  const plain = embedded ? groups.slice(0, -1) : groups;
  const size = plain.length + (embedded ? 2 : 0);
  return plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? size < 8 : size === 8);
}

function checkUri(text: string): string | undefined {
  const problem = checkUriText(text);
  if (problem !== undefined) return problem;
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) ? undefined : 'relative url';
}

/** The mistakes that Go's url.Parse refuses. */
function checkUriText(text: string): string | undefined {
  const problem = (detail: string) => `parse ${JSON.stringify(text)}: ${detail}`;
  if (/[\x00-\x1f\x7f]/.test(text)) return problem('net/url: invalid control character in URL');
  if (text.startsWith(':')) return problem('missing protocol scheme');
  const [path = ''] = text.split('?');
  const broken = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(path)?.[0];
  if (broken !== undefined) return problem(`invalid URL escape ${JSON.stringify(broken)}`);
  if (!/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && /^[^/]*:/.test(path)) {
    return problem('first path segment in URL cannot contain colon');
  }
  const host = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/([^/?#]*)/.exec(text)?.[1] ?? '';
  if (/ /.test(host)) return problem('invalid character " " in host name');
  const port = /:([^\]:]*)$/.exec(host)?.[1];
  return port !== undefined && !/^\d*$/.test(port)
    ? problem(`invalid port ${JSON.stringify(`:${port}`)} after host`)
    : undefined;
}

function checkUuid(text: string): string | undefined {
  const sizes = [8, 4, 4, 4, 12];
  const groups = text.split('-');
  if (groups.length !== sizes.length) return `must have ${sizes.length} elements`;
  for (const [index, group] of groups.entries()) {
    if (group.length !== sizes[index]) return `element ${index + 1} must be ${sizes[index]} characters long`;
    const bad = /[^0-9a-fA-F]/u.exec(group)?.[0];
    if (bad !== undefined) return `non-hex character '${bad}'`;
  }
  return undefined;
}

function checkPointer(text: string): string | undefined {
  if (text === '') return undefined;
  if (!text.startsWith('/')) return 'not starting with /';
  return /~(?![01])/.test(text) ? '~ must be followed by 0 or 1' : undefined;
}
