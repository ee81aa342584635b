// Owns reading an answer to fetch from a stream of bytes, whatever carries it: first the head, then the pack in pieces.
import { GitError } from '../../engines/git/errors.ts';
import { FetchAnswer } from '../../engines/git/protocol/fetch.ts';
import { type Pkt, PktParser } from '../../engines/git/protocol/pktline.ts';
import type { FetchedPack } from './transport.ts';

/** How the answer is to be read. */
export interface AnswerOptions {
  readonly version: 0 | 1 | 2;
  /** Whether history was asked to be cut. */
  readonly deepened: boolean;
  readonly maxPackBytes: number;
}

/** Reads up to the first byte of the pack and hands out the rest as a stream. Throws GitError. */
export async function readFetchAnswer(
  chunks: AsyncIterable<Buffer>,
  options: AnswerOptions,
): Promise<Pick<FetchedPack, 'shallow' | 'unshallow' | 'pack'> & { stop(): Promise<void> }> {
  const source = chunks[Symbol.asyncIterator]();
  const parser = new PktParser();
  const answer = new FetchAnswer(options.version, options.deepened);
  const stop = async () => {
    await source.return?.();
  };
  try {
    const early: Buffer[] = [];
    while (!answer.inPack) {
      const next = await source.next();
      if (next.done === true) {
        parser.finish();
        answer.finish();
        break;
      }
      takePieces(answer, parser.push(next.value), early);
    }
    const pack = packPieces(source, parser, answer, early, options.maxPackBytes);
    return { ...answer.head, pack, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function* packPieces(
  source: AsyncIterator<Buffer>,
  parser: PktParser,
  answer: FetchAnswer,
  early: readonly Buffer[],
  maxBytes: number,
): AsyncGenerator<Buffer> {
  let total = 0;
  const pieces: Buffer[] = [...early];
  try {
    for (;;) {
      for (const piece of pieces) {
        total += piece.length;
        if (total > maxBytes) {
          throw new GitError('GitLimitExceeded', `pack exceeds the limit of ${maxBytes} bytes`, { limit: maxBytes });
        }
        yield piece;
      }
      pieces.length = 0;
      // The answer's end is read too: only a connection whose body was read to the end can be used again.
      const next = await source.next();
      if (next.done === true) break;
      takePieces(answer, parser.push(next.value), pieces);
    }
    parser.finish();
    answer.finish();
  } finally {
    await source.return?.();
  }
}

function takePieces(answer: FetchAnswer, lines: readonly Pkt[], into: Buffer[]): void {
  for (const line of lines) {
    const piece = answer.push(line);
    if (piece !== undefined && piece.length > 0) into.push(piece);
  }
}
