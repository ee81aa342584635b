// Owns reading the few flat XML documents that an object storage answers with. Linear: no pattern runs over the whole.

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The insides of all elements of a name, in order. Elements of that name inside each other are not told apart. */
export function* elementsOf(xml: string, name: string): Generator<string> {
  const [open, close] = [`<${name}>`, `</${name}>`];
  for (let from = xml.indexOf(open); from >= 0; ) {
    const end = xml.indexOf(close, from);
    if (end < 0) return;
    yield xml.slice(from + open.length, end);
    from = xml.indexOf(open, end);
  }
}

/** The text of the first element of a name; undefined when there is none. */
export function textOf(xml: string, name: string): string | undefined {
  for (const inner of elementsOf(xml, name)) return decode(inner);
  return undefined;
}

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name as string]!;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex as string, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : (whole as string);
  });
}
