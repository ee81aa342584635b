// Owns OpenSSH's known_hosts: which keys a host may show. Lines are read as OpenSSH does; nothing is ever added.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** One line of the file. */
interface KnownHost {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  readonly patterns: readonly string[];
  readonly type: string;
  readonly key: Buffer;
}

/** What the file says about a host. */
export interface HostKeys {
  /** Key types that are known for the host, in the file's order. */
  readonly types: readonly string[];
  /** Whether the host may show this key (its wire form). */
  judge(key: Buffer): 'known' | 'changed' | 'unknown' | 'revoked';
}

/** Reads the lines for one host. A non-standard port is looked up as `[host]:port`. */
export function hostKeysFor(text: string, host: string, port: number): HostKeys {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const lines = text.split('\n').flatMap(parseLine);
  const mine = lines.filter((line) => line.marker !== 'cert-authority' && matchesHost(line.patterns, name));
  const known = mine.filter((line) => line.marker === 'none');
  return {
    types: [...new Set(known.map((line) => line.type))],
    judge(key) {
      if (mine.some((line) => line.marker === 'revoked' && line.key.equals(key))) return 'revoked';
      if (known.some((line) => line.key.equals(key))) return 'known';
      return known.length > 0 ? 'changed' : 'unknown';
    },
  };
}

function parseLine(raw: string): KnownHost[] {
  const line = raw.trim();
  if (line === '' || line.startsWith('#')) return [];
  const words = line.split(/[ \t]+/);
  const first = words[0] ?? '';
  const marker = first === '@revoked' ? 'revoked' : first === '@cert-authority' ? 'cert-authority' : 'none';
  if (marker !== 'none') words.shift();
  const [patterns, type, base64] = words;
  if (patterns === undefined || type === undefined || base64 === undefined) return [];
  const key = Buffer.from(base64, 'base64');
  // The type stands inside the key too; a line where they differ is damaged.
  if (key.length < 8 || key.toString('latin1', 4, 4 + key.readUInt32BE(0)) !== type) return [];
  return [{ marker, patterns: patterns.split(','), type, key }];
}

function matchesHost(patterns: readonly string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('|1|')) {
      if (matchesHash(pattern, name)) return true;
      continue;
    }
    const negated = pattern.startsWith('!');
    const text = (negated ? pattern.slice(1) : pattern).toLowerCase();
    if (!matchesWildcard(text, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(pattern: string, name: string): boolean {
  const [, , salt = '', hash = ''] = pattern.split('|');
  const want = Buffer.from(hash, 'base64');
  const got = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return want.length === got.length && timingSafeEqual(want, got);
}

// `*` and `?` only. Two pointers with one step back: linear for any pattern.
function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < text.length; ) {
    if (at < pattern.length && (pattern[at] === '?' || (pattern[at] === text[index] && pattern[at] !== '*'))) {
      at++;
      index++;
    } else if (at < pattern.length && pattern[at] === '*') {
      star = at++;
      resume = index;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
