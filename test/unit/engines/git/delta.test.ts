import { describe, expect, it } from 'vitest';
import { applyDelta, parseDeltaHeader } from '../../../../src/engines/git/delta.ts';
import { GitError } from '../../../../src/engines/git/errors.ts';

const base = Buffer.from('the quick brown fox jumps over the lazy dog, again and again and again');
const LIMIT = 1 << 20;

function delta(baseSize: number, resultSize: number, ...instructions: number[]): Buffer {
  return Buffer.from([baseSize, resultSize, ...instructions]);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GitError) return error.code;
    throw error;
  }
  return 'none';
}

describe('applyDelta', () => {
  it('copies from the base and inserts bytes', () => {
    const instructions = delta(base.length, 9, 0b1001_0001, 4, 5, 4, ...Buffer.from('!?!?'));

    const result = applyDelta(base, instructions, LIMIT);

    expect(result.toString()).toBe('quick!?!?');
  });

  it('takes a copy size of zero as 65536', () => {
    const large = Buffer.alloc(70_000, 'x');
    const instructions = Buffer.from([0xf0, 0xa2, 0x04, 0x80, 0x80, 0x04, 0x80]);

    const result = applyDelta(large, instructions, LIMIT);

    expect(result.length).toBe(65_536);
  });

  it.each([
    ['another base size', delta(base.length - 1, 1, 1, 65), 'GitCorruptPack'],
    ['the reserved instruction', delta(base.length, 1, 0), 'GitCorruptPack'],
    ['an insert beyond the delta', delta(base.length, 5, 5, 65), 'GitCorruptPack'],
    ['an insert beyond the result', delta(base.length, 1, 2, 65, 65), 'GitCorruptPack'],
    ['a copy beyond the base', delta(base.length, 9, 0b1001_0001, 100, 9), 'GitCorruptPack'],
    ['a copy beyond the result', delta(base.length, 2, 0b1001_0001, 0, 9), 'GitCorruptPack'],
    ['a result that is too short', delta(base.length, 9, 1, 65), 'GitCorruptPack'],
    ['instructions that are cut short', delta(base.length, 9, 0b1001_0001, 1), 'GitCorruptPack'],
    ['a size without end', Buffer.alloc(20, 0xff), 'GitCorruptPack'],
  ])('refuses %s', (_name, instructions, code) => {
    expect(codeOf(() => applyDelta(base, instructions, LIMIT))).toBe(code);
  });

  it('refuses a huge result before it takes memory for it', () => {
    const bomb = Buffer.from([base.length, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x90, 1]);

    expect(codeOf(() => applyDelta(base, bomb, LIMIT))).toBe('GitLimitExceeded');
  });
});

describe('parseDeltaHeader', () => {
  it('reads sizes of several bytes', () => {
    expect(parseDeltaHeader(Buffer.from([0x80, 0x01, 0xff, 0x7f]))).toEqual({
      baseSize: 128,
      resultSize: 16_383,
      start: 4,
    });
  });
});
