// Owns writing what comes over the network to a file, with its digest, never holding it in memory.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

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
