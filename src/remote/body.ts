// Owns what is done with bodies whatever they are: writing one to a file with its digest, never holding it in memory;
// reading the start of one for a message.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { HttpResponse } from './http.ts';

/** A file that was written. */
export interface DownloadedFile {
  /** `sha256:<hex>` of the bytes. */
  readonly digest: string;
  readonly size: number;
}

/** Writes a body to a new file. Throws what reading the body throws. */
export async function saveBody(body: AsyncIterable<Buffer>, path: string): Promise<DownloadedFile> {
  const file = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of body) {
      hash.update(chunk);
      size += chunk.length;
      await file.write(chunk);
    }
  } finally {
    await file.close();
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** The start of a body, for messages; an unreadable one says nothing. The connection is given up. */
export async function readStart(answer: HttpResponse, maxBytes: number): Promise<string> {
  let text = '';
  try {
    for await (const part of answer.body) {
      text += part.toString('utf8');
      if (text.length >= maxBytes) break;
    }
  } catch {
    // The status is what counts.
  }
  answer.discard();
  return text.slice(0, maxBytes);
}

/** Text of strangers without control characters. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}
