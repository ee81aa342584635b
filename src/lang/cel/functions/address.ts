// Owns IP addresses as numbers: strict parsing, canonical text, masks.

export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** Parses an address without zone; IPv4 numbers have no leading zeros, IPv4-mapped IPv6 is refused as in Kubernetes. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseSix(text) : parseFour(text);
}

function parseFour(text: string): Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let bits = 0n;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return { family: 4, bits };
}

function parseSix(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map((half) => groupsOf(half));
  if (front === undefined || (halves.length === 2 && back === undefined)) return undefined;
  const missing = 8 - front.length - (back?.length ?? 0);
  if (back === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...front, ...new Array<bigint>(missing).fill(0n), ...(back ?? [])];
  const bits = groups.reduce((sum, group) => (sum << 16n) | group, 0n);
  return bits >> 32n === 0xffffn ? undefined : { family: 6, bits };
}

/** The 16-bit groups of a part of an IPv6 address; the last may be written as IPv4. */
function groupsOf(text: string): bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    const four = i === parts.length - 1 && part.includes('.') ? parseFour(part) : undefined;
    if (four !== undefined) groups.push(four.bits >> 16n, four.bits & 0xffffn);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

/** The canonical text (RFC 5952). */
export function formatAddress({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - i * 16)) & 0xffffn).toString(16));
  const text = groups.join(':');
  const runs = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** The address with all bits behind the prefix cleared. */
export function masked({ family, bits }: Address, length: number): Address {
  const rest = BigInt((family === 4 ? 32 : 128) - length);
  return { family, bits: (bits >> rest) << rest };
}

export function isWithin(address: Address, block: { readonly address: Address; readonly length: number }): boolean {
  if (address.family !== block.address.family) return false;
  return masked(address, block.length).bits === masked(block.address, block.length).bits;
}
