import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../src/lib/difflib.ts';

const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i + 1}`);

describe('unifiedDiff', () => {
  it('is empty for texts that are the same', () => {
    expect(unifiedDiff('a\nb', 'a\nb')).toBe('');
  });

  it('shows three lines around a change', () => {
    const before = lines(9);
    const after = before.with(4, 'other');

    expect(unifiedDiff(before.join('\n'), after.join('\n'))).toBe(
      '@@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n+other\n line 6\n line 7\n line 8\n',
    );
  });

  it('makes a hunk of each change that is far from the others', () => {
    const before = lines(30);
    const after = [...before.with(1, 'x').slice(0, 29), 'y', 'z'];

    const diff = unifiedDiff(before.join('\n'), after.join('\n'));

    expect(diff.match(/^@@.*$/gm)).toEqual(['@@ -1,5 +1,5 @@', '@@ -27,4 +27,5 @@']);
    expect(diff).toContain('-line 30\n+y\n+z\n');
  });

  it('tells of texts that have nothing in common, and of one line', () => {
    expect(unifiedDiff('a', 'b')).toBe('@@ -1 +1 @@\n-a\n+b\n');
    expect(unifiedDiff('a\nb', 'a')).toBe('@@ -1,2 +1 @@\n a\n-b\n');
  });

  // The figures are those of Python 3's difflib.unified_diff: lines that are common in a long text do not lead.
  it('does not look for common lines of long texts first', () => {
    const common = Array.from({ length: 210 }, (_, i) => (i % 2 === 0 ? 'null' : `name ${i}`));
    const after = common.toSpliced(100, 2, 'null', 'new', 'null');

    const diff = unifiedDiff(common.join('\n'), after.join('\n'));

    expect(diff).toBe('@@ -99,7 +99,8 @@\n null\n name 99\n null\n-name 101\n+new\n+null\n null\n name 103\n null\n');
  });
});
