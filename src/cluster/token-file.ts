// Owns bearer tokens that live in a file which somebody renews (ServiceAccount tokens).
import { readFileSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { CodedError, errorMessage } from '../lib/errors.ts';

/** Code `TokenFile`: the file cannot be read and no older token is known. */
export class TokenFileError extends CodedError<'TokenFile', { readonly path: string }> {}

const REREAD_MS = 60_000;

/**
 * The Authorization header by a token file, read again every minute. When a later reading fails the last token goes
 * on: it is usually still good.
 */
export function fileToken(path: string, clock: Clock): () => string {
  let header: string | undefined;
  let readAt = 0;
  return () => {
    if (header !== undefined && clock.monotonic() - readAt < REREAD_MS) return header;
    try {
      header = `Bearer ${readFileSync(path, 'utf8').trim()}`;
      readAt = clock.monotonic();
    } catch (error) {
      if (header === undefined) {
        throw new TokenFileError(
          'TokenFile',
          `cannot read token file: ${errorMessage(error)}`,
          { path },
          { cause: error },
        );
      }
    }
    return header;
  };
}
