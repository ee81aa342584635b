import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteLength,
  canBackquote,
  fromBytes,
  quote,
  quoteRune,
  quoteToAscii,
  sliceBytes,
  toBytes,
  unquote,
  unquoteRune,
} from '../../../../src/lang/gotemplate/gostring.ts';
import { anyText } from '../../../support/arbitraries.ts';

describe('bytes of strings', () => {
  it('keeps any byte string whole', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = fromBytes(bytes);

        expect(Buffer.from(toBytes(text))).toEqual(Buffer.from(bytes));
        expect(byteLength(text)).toBe(bytes.length);
      }),
    );
  });

  it('has raw bytes stand as lone surrogates, and real text as itself', () => {
    expect(fromBytes(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9, 0xc3))).toBe('a\udcffé\udcc3');
    expect(fromBytes(Buffer.from('\ufeff😀'))).toBe('\ufeff😀');
    expect(byteLength('é€😀')).toBe(9);
  });

  it('cuts by bytes, through runes if need be', () => {
    expect(sliceBytes('héllo', 0, 2)).toBe('h\udcc3');
    expect(sliceBytes('héllo', 2)).toBe('\udca9llo');
    expect(sliceBytes('hello', 1, 3)).toBe('el');
  });
});

describe('quoting', () => {
  it.each([
    ['a"b\\c', '"a\\"b\\\\c"', '"a\\"b\\\\c"'],
    ['\x00\x07\b\f\n\r\t\v\x7f', '"\\x00\\a\\b\\f\\n\\r\\t\\v\\x7f"', '"\\x00\\a\\b\\f\\n\\r\\t\\v\\x7f"'],
    ['é€😀', '"é€😀"', '"\\u00e9\\u20ac\\U0001f600"'],
    ['\udcff\u00a0\u200b', '"\\xff\\u00a0\\u200b"', '"\\xff\\u00a0\\u200b"'],
  ])('%j', (text, quoted, ascii) => {
    expect(quote(text)).toBe(quoted);
    expect(quoteToAscii(text)).toBe(ascii);
  });

  it('quotes runes, and what is none as U+FFFD', () => {
    expect(quoteRune(0x27)).toBe("'\\''");
    expect(quoteRune(0xe9, true)).toBe("'\\u00e9'");
    expect(quoteRune(0xd800)).toBe("'\ufffd'");
  });

  it('backquotes only what needs no escape', () => {
    expect(canBackquote('a\tb"')).toBe(true);
    expect(canBackquote('a`b')).toBe(false);
    expect(canBackquote('a\nb')).toBe(false);
  });

  it('reads back what it quotes', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(unquote(quote(text))).toBe(text);
        expect(unquote(quoteToAscii(text))).toBe(text);
      }),
    );
  });
});

describe('unquoting', () => {
  it('joins bytes that form a rune', () => {
    expect(unquote('"\\xc3\\xa9\\303\\251\\xff"')).toBe('éé\udcff');
    expect(unquote('`a\\n\r`')).toBe('a\\n');
  });

  it.each(['"\\z"', '"\\x1"', '"\\400"', '"\\ud800"', '"\\U00110000"', '"\\\'"'])('refuses %s', (token) => {
    expect(() => unquote(token)).toThrow('invalid syntax');
  });

  it('reads character constants', () => {
    expect([unquoteRune("'a'"), unquoteRune("'\\n'"), unquoteRune("'😀'"), unquoteRune("'\\''")]).toEqual([
      97, 10, 0x1f600, 39,
    ]);
    expect(() => unquoteRune("'ab'")).toThrow("malformed character constant: 'ab'");
    expect(() => unquoteRune("''")).toThrow('invalid syntax');
  });
});
