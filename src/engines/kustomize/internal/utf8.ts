// Owns turning a YAML file's bytes into text, with the fault that Go's reader finds in bytes that are no UTF-8.
import { buildError } from '../errors.ts';
import { decodeUtf8 } from './configmap-data.ts';

/** The bytes as text. Throws `yaml: invalid … UTF-8 octet`. */
export function decodeYamlText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw buildError(`yaml: ${findFault(bytes)}`, 'ResourceInvalid');
  return text;
}

function widthOf(octet: number): number {
  if (octet < 0x80) return 1;
  if ((octet & 0xe0) === 0xc0) return 2;
  if ((octet & 0xf0) === 0xe0) return 3;
  return (octet & 0xf8) === 0xf0 ? 4 : 0;
}

const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

function findFault(bytes: Uint8Array): string {
  for (let at = 0; at < bytes.length; ) {
    const width = widthOf(bytes[at]!);
    if (width === 0) return 'invalid leading UTF-8 octet';
    if (at + width > bytes.length) return 'incomplete UTF-8 octet sequence';
    let value = width === 1 ? bytes[at]! : bytes[at]! & (0xff >> (width + 1));
    for (let i = 1; i < width; i++) {
      const octet = bytes[at + i]!;
      if ((octet & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet';
      value = (value << 6) | (octet & 0x3f);
    }
    if (value < SMALLEST[width]!) return 'invalid length of a UTF-8 sequence';
    if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return 'invalid Unicode character';
    at += width;
  }
  return 'invalid Unicode character';
}
