// Owns Git's delta format: instructions that build one object from another. Knows nothing of where either is stored.
import { GitError } from './errors.ts';

/** Sizes that a delta states about its base and its result. */
export interface DeltaHeader {
  readonly baseSize: number;
  readonly resultSize: number;
  /** Where the instructions begin. */
  readonly start: number;
}

/** Reads the two sizes at the head of a delta. Throws GitError GitCorruptPack. */
export function parseDeltaHeader(delta: Uint8Array): DeltaHeader {
  const base = readSize(delta, 0);
  const result = readSize(delta, base.next);
  return { baseSize: base.value, resultSize: result.value, start: result.next };
}

/**
 * Builds the object that `delta` describes on top of `base`.
 * @param maxBytes largest result that is accepted; checked before memory is taken
 * @throws GitError GitCorruptPack, GitLimitExceeded
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, maxBytes: number): Buffer {
  const { baseSize, resultSize, start } = parseDeltaHeader(delta);
  if (baseSize !== base.length) throw bad(`delta is for a base of ${baseSize} bytes, the base has ${base.length}`);
  if (resultSize > maxBytes) {
    throw new GitError('GitLimitExceeded', `object of ${resultSize} bytes exceeds the limit of ${maxBytes} bytes`, {
      limit: maxBytes,
    });
  }
  // Taking memory up front is safe: every byte of the result costs the delta something only for inserts, but the
  // size is already held under the limit.
  const result = Buffer.allocUnsafe(resultSize);
  const written = runInstructions(base, delta, start, result);
  if (written !== resultSize) throw bad(`delta builds ${written} bytes, not ${resultSize}`);
  return result;
}

function runInstructions(base: Uint8Array, delta: Uint8Array, start: number, result: Buffer): number {
  let at = start;
  let out = 0;
  while (at < delta.length) {
    const op = delta[at++] as number;
    if ((op & 0x80) === 0) {
      if (op === 0) throw bad('delta has an instruction that is reserved');
      if (at + op > delta.length || out + op > result.length) throw bad('delta inserts beyond its end');
      copyBytes(delta, at, at + op, result, out);
      at += op;
      out += op;
      continue;
    }
    // Up to four offset bytes and three size bytes follow, each present when its bit is set; absent ones are zero.
    let offset = 0;
    let size = 0;
    if (op & 0x01) offset = delta[at++] ?? -1;
    if (op & 0x02) offset += (delta[at++] ?? -1) * 0x100;
    if (op & 0x04) offset += (delta[at++] ?? -1) * 0x10000;
    if (op & 0x08) offset += (delta[at++] ?? -1) * 0x1000000;
    if (op & 0x10) size = delta[at++] ?? -1;
    if (op & 0x20) size += (delta[at++] ?? -1) * 0x100;
    if (op & 0x40) size += (delta[at++] ?? -1) * 0x10000;
    if (size === 0) size = 0x10000;
    if (at > delta.length) throw bad('delta is cut short');
    if (offset + size > base.length || out + size > result.length) throw bad('delta copies beyond its base or result');
    copyBytes(base, offset, offset + size, result, out);
    out += size;
  }
  return out;
}

// Short runs are copied by hand: calling into the engine's copy costs more than 32 single bytes.
function copyBytes(from: Uint8Array, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > 32) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let index = start; index < end; index++) to[at++] = from[index] as number;
}

function readSize(delta: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = delta[at++];
    if (byte === undefined || scale > 2 ** 49) throw bad('delta header is cut short');
    value += (byte & 0x7f) * scale;
    if ((byte & 0x80) === 0) return { value, next: at };
    scale *= 128;
  }
}

function bad(message: string): GitError {
  return new GitError('GitCorruptPack', message);
}
