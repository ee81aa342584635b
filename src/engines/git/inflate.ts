// Owns inflating one zlib stream that stands somewhere in a larger run of bytes. Knows nothing of pack entries.
import { inflateSync } from 'node:zlib';
import { GitError } from './errors.ts';
import { InflateError, inflateSmall } from './inflate-small.ts';

/** Bytes that are read by position: a pack in memory or an open file. Reads past the end come back short. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** A ByteSource over memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

// Where the two ways cost the same; adler32 of the small one is exact up to 5552 bytes.
const SMALL_BYTES = 256;

interface InflateInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/**
 * Inflates the stream at `offset`, whose result must have exactly `size` bytes.
 * Output is bounded by `size`, so a stream that swells beyond what its header says costs nothing.
 * @returns the content and how many compressed bytes it took
 * @throws GitError GitCorruptPack
 */
export function inflateAt(source: ByteSource, offset: number, size: number): { data: Buffer; consumed: number } {
  // A compressor adds at most a few bytes per block, but nothing forbids empty blocks: when the guess is too short
  // the rest is read, eight times more each round.
  let guess = size + (size >>> 8) + 128;
  for (;;) {
    const input = source.read(offset, guess);
    try {
      if (size > SMALL_BYTES) return inflateExact(input, size, offset);
      const data = Buffer.allocUnsafe(size);
      return { data, consumed: inflateSmall(input, data) };
    } catch (error) {
      const ranOut =
        error instanceof InflateError ? error.ranOut : (error as { code?: unknown }).code === 'Z_BUF_ERROR';
      if (!ranOut || input.length < guess || guess > 16 * size + 1_000_000) throw corrupt(offset, error);
      guess *= 8;
    }
  }
}

function inflateExact(input: Uint8Array, size: number, offset: number): { data: Buffer; consumed: number } {
  // `chunkSize` is the first output buffer: the default of 16 kB triples the cost for small objects.
  const result = inflateSync(input, {
    info: true,
    chunkSize: Math.max(64, Math.min(size + 1, 1 << 20)),
    maxOutputLength: Math.max(1, size),
  }) as unknown as InflateInfo;
  if (result.buffer.length !== size) {
    throw new GitError('GitCorruptPack', `object at offset ${offset} has ${result.buffer.length} bytes, not ${size}`, {
      offset,
    });
  }
  return { data: result.buffer, consumed: result.engine.bytesWritten };
}

function corrupt(offset: number, cause: unknown): GitError {
  if (cause instanceof GitError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new GitError('GitCorruptPack', `bad compressed data at offset ${offset}: ${detail}`, { offset }, { cause });
}
