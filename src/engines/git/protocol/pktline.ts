// Owns pkt-lines, the framing of Git's protocols: writing them, and cutting a stream of bytes into them.
import { GitError } from '../errors.ts';

/** Longest line, its four length digits included. */
export const MAX_PKT_BYTES = 65520;

/** End of a message. */
export const FLUSH_PKT: Buffer = Buffer.from('0000');
/** Border between the parts of a message (protocol v2). */
export const DELIM_PKT: Buffer = Buffer.from('0001');

/** One line: data, or one of the marks that have no data. */
export type Pkt =
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'flush' }
  | { readonly kind: 'delim' }
  | { readonly kind: 'end' };

/** One data line. Text gets no newline added. Throws GitError GitProtocol when it is too long for a line. */
export function formatPkt(data: string | Uint8Array): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const length = bytes.length + 4;
  if (length > MAX_PKT_BYTES) throw new GitError('GitProtocol', `line of ${length} bytes is too long`);
  return Buffer.concat([Buffer.from(length.toString(16).padStart(4, '0')), bytes]);
}

/** Text of a line without its final newline. */
export function pktText(data: Buffer): string {
  const end = data.length > 0 && data[data.length - 1] === 0x0a ? data.length - 1 : data.length;
  return data.toString('utf8', 0, end);
}

/** Cuts a stream into lines. Feed it chunks as they come; at the end of the stream call `finish`. */
export class PktParser {
  private rest: Buffer = Buffer.alloc(0);

  /** The lines that this chunk completes. Their data points into the chunk. Throws GitError GitProtocol. */
  push(chunk: Buffer): Pkt[] {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const lines: Pkt[] = [];
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = parseLength(bytes, at);
      if (length < 4) {
        lines.push(markOf(length));
        at += 4;
        continue;
      }
      if (at + length > bytes.length) break;
      lines.push({ kind: 'data', data: bytes.subarray(at + 4, at + length) });
      at += length;
    }
    this.rest = bytes.subarray(at);
    return lines;
  }

  /** Throws GitError GitProtocol when the stream ended within a line. */
  finish(): void {
    if (this.rest.length > 0) throw new GitError('GitProtocol', 'unexpected EOF in the middle of a line');
  }
}

function parseLength(bytes: Buffer, at: number): number {
  let length = 0;
  for (let index = at; index < at + 4; index++) {
    const digit = hexDigit(bytes[index] as number);
    if (digit < 0) {
      const shown = JSON.stringify(bytes.toString('latin1', at, at + 4));
      throw new GitError('GitProtocol', `invalid line length ${shown}: the server does not speak Git's protocol`);
    }
    length = length * 16 + digit;
  }
  if (length === 3 || length > MAX_PKT_BYTES) throw new GitError('GitProtocol', `invalid line length ${length}`);
  return length;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  if (byte >= 0x61 && byte <= 0x66) return byte - 0x57;
  if (byte >= 0x41 && byte <= 0x46) return byte - 0x37;
  return -1;
}

function markOf(length: number): Pkt {
  if (length === 0) return { kind: 'flush' };
  return length === 1 ? { kind: 'delim' } : { kind: 'end' };
}
