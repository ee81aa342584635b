// Owns base64 as Go's standard encoding reads it: padding is required, line breaks are ignored, the result is text.

const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;

/** The bytes as text, U+FFFD for each byte that is no UTF-8; undefined if the text is not base64. */
export function decodeBinary(text: string): string | undefined {
  const plain = text.replace(/[\r\n]/g, '');
  if (!BASE64.test(plain)) return undefined;
  return decodeUtf8(Buffer.from(plain, 'base64'));
}

/** Go replaces each wrong byte, not each wrong sequence. */
function decodeUtf8(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let out = '';
  let from = 0;
  while (from < bytes.length) {
    let to = from;
    while (to < bytes.length) {
      const width = validWidth(bytes, to);
      if (width === 0) break;
      to += width;
    }
    out += decoder.decode(bytes.subarray(from, to));
    if (to < bytes.length) out += '\ufffd';
    from = to + 1;
  }
  return out;
}

function validWidth(bytes: Uint8Array, at: number): number {
  const b = bytes[at]!;
  if (b < 0x80) return 1;
  const width = b >= 0xc2 && b <= 0xdf ? 2 : (b & 0xf0) === 0xe0 ? 3 : b >= 0xf0 && b <= 0xf4 ? 4 : 0;
  if (width === 0 || at + width > bytes.length) return 0;
  for (let i = 1; i < width; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1]!;
  const tooLow = (b === 0xe0 && second < 0xa0) || (b === 0xf0 && second < 0x90);
  const tooHigh = (b === 0xed && second > 0x9f) || (b === 0xf4 && second > 0x8f);
  return tooLow || tooHigh ? 0 : width;
}
