import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitManifests } from '../../../../src/engines/helm/manifests.ts';

describe('splitManifests', () => {
  it.each([
    ['a\n---\nb', ['a', 'b']],
    ['---\na\n---\n---\nb\n', ['a', '---\nb']],
    ['a\n---b: 1', ['a', 'b: 1']],
    ['a\n --- \nb', ['a\n --- \nb']],
    ['a: |\n  x\n  ---\n  y', ['a: |\n  x\n  ---\n  y']],
    ['a\n--- # c\nb', ['a', '# c\nb']],
    ['---\n---\n# x', ['---\n# x']],
    ['a\n\n\n---\n\n\nb', ['a', 'b']],
    ['a\n----\nb', ['a', '-\nb']],
    ['', []],
    ['---', []],
    ['a---b', ['a---b']],
  ])('cuts %j as Helm 3 does', (text, want) => {
    expect(splitManifests(text, 'helm3')).toEqual(want);
  });

  it.each([
    ['a\n---\nb\n', ['a\n', 'b\n']],
    ['---\n---\n# x', ['# x']],
    ['a\n  ---\nb', ['a\n  ---\nb']],
  ])('cuts %j as Helm 4 does', (text, want) => {
    expect(splitManifests(text, 'helm4')).toEqual(want);
  });

  it('cuts as the expression in Helm 3 does', () => {
    const text = fc
      .array(fc.constantFrom('---', '\n', ' ', '\t', 'a', '-', '\r\n', '--'), { maxLength: 14 })
      .map((parts) => parts.join(''));
    const trim = (piece: string) => piece.replace(/^\s+|\s+$/g, '');
    // `^` without the m flag is the start of the whole stream.
    const byExpression = (stream: string) =>
      trim(stream)
        .split(/(?:^|[\t\n\f\r ]*\n)---[\t\n\f\r ]*/)
        .filter((piece) => piece !== '')
        .map(trim);

    fc.assert(
      fc.property(text, (stream) => {
        expect(splitManifests(stream, 'helm3')).toEqual(byExpression(stream));
      }),
      { numRuns: 500 },
    );
  });

  it('takes long runs of blanks in its stride', () => {
    expect(splitManifests(`a${'\n '.repeat(200_000)}b`, 'helm3')).toHaveLength(1);
  });
});
