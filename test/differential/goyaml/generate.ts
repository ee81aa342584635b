// Owns seeded nasty YAML: documents with comments everywhere, token soup, damaged real files, odd JSON values.
import { compareKeys, compareKeysV3 } from '../../../src/lib/goyaml/internal/sort.ts';
import { type JsonValue, stringifyJson } from '../../../src/lib/json.ts';

/** A small seeded generator of numbers: the same seed gives the same texts on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ result < limit. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const scalars =
  'a|b|key|x y|1|0x1F|012|08|1e3|.5|1.|-0|+1|1_000|0b11|0o7|true|yes|y|n|off|No|null|~|.inf|-.INF|.nan|2001-12-14|12:30|1:2:3.4|<<|=|é|😀|12345678901234567890|9007199254740993|-9223372036854775808|1e400|0b-1|.5_5|2001-12-14t21:59:43.10-05:00|2001-1-2 3:4:5'.split(
    '|',
  );
const markup = [
  ...[
    "'q'",
    '"d"',
    "'it''s'",
    '"\\n\\t\\x41\\u263A"',
    '"a\\\n  b"',
    "'a\n\n  b'",
    '"a\n b"',
    '"  x  "',
    '"😀"',
    '"\u0007"',
  ],
  ...['*a', '*b', '&a', '&b', '&a x', '&b [1]', '!!str', '!!int 3', '!!float 1', '!!binary aGk=', '!foo bar', '!'],
  ...['!<tag:x> y', '!!str 12', '!!merge <<', '# c', '#c', ' # line', 'a#b', 'a: b', 'a:b', '- x', '? k', ': v', ''],
  ...['[1, 2]', '{a: 1}', '{a: 1, b: [x, y]}', '[a, {b: c}]', '{? a : b}', '[a: b]', '{a, b}', '[', ']', '{', '}', ','],
  ...[
    '|',
    '>',
    '|-',
    '|+',
    '>-',
    '|2',
    '>1+',
    '%',
    '@',
    '`',
    '---',
    '...',
    '--- x',
    '%YAML 1.1',
    '%TAG ! x',
    '\t',
    ' ',
  ],
  ...[
    '\u0085',
    '\u2028',
    '-',
    '--',
    '?',
    ':',
    '"',
    "'",
    '\\',
    'long '.repeat(20),
    'word-'.repeat(30),
    'http://x:80/y?z#f',
  ],
];
const atoms = [...scalars, ...markup];
const small = [
  ...['a', 'b', 'c', '1', '"s"', 'x y', '~', 'true', '[1, 2]', '{p: q}', '&a z', '*a', '', '!t v', 'x # lc'],
  ...['[ # lc\n 1, # one\n 2\n]', '{ # lc\n k: v # kv\n}'],
];
const comments = ['# c1', '# c2 text', '#', '', '', '# a\n# b'];
const separators = [' ', '\n', ': ', '\n  ', '\n- ', '', ', ', '\n\n', ' #c\n', '\r\n'];

function commentLines(random: Random, indent: number): string {
  let out = '';
  while (random.below(3) === 0) {
    const pad = ' '.repeat(random.below(4) === 0 ? Math.max(0, indent + random.below(5) - 2) : indent);
    out += `${random
      .pick(comments)
      .split('\n')
      .map((line) => (line === '' ? '' : pad + line))
      .join('\n')}\n`;
  }
  return out;
}

function blockScalar(random: Random, pad: string): string {
  const lines = Array.from({ length: 1 + random.below(4) }, () => {
    return random.below(4) > 0
      ? `${pad}   ${random.pick(['text', ' more', '# no', 'a: b'])}`
      : random.pick(['', '   ', pad]);
  });
  return `${random.pick(['|', '>', '|-', '>+', '|2', '| # bc'])}\n${lines.join('\n')}`;
}

function value(random: Random, pad: string): string {
  if (random.below(18) === 0) return blockScalar(random, pad);
  return random.below(4) > 0 ? random.pick(small) : random.pick(atoms);
}

/** A map or list in block style. */
function block(random: Random, indent: number, depth: number): string {
  const pad = ' '.repeat(indent);
  const isList = random.below(3) === 0;
  let out = '';
  for (let i = 1 + random.below(3); i > 0; i--) {
    out += commentLines(random, indent);
    const nested = random.below(8);
    if (isList) {
      out += `${pad}-`;
      if (depth > 0 && nested < 2) {
        out += ` ${block(random, indent + 2, depth - 1).trimStart()}`;
        continue;
      }
      if (depth > 0 && nested === 2) {
        out += `${random.pick(['', ' # lc', ' '])}\n${block(random, indent + 1 + random.below(3), depth - 1)}`;
        continue;
      }
    } else {
      const keys = ['k', `key${i}`, `a${i}`, `b${i}`, `"q${i}"`, `? c${i}\n${pad}`, '<<', '1', 'n', `&k${i} z${i}`];
      out += `${pad}${random.pick(keys)}:`;
      if (depth > 0 && nested < 4) {
        const deeper = random.below(6) === 0 ? 0 : 1 + random.below(4);
        out += `${random.pick(['', '', ' # lc', ' &a', ' !!map'])}\n${block(random, indent + deeper, depth - 1)}`;
        continue;
      }
    }
    out += ` ${value(random, pad)}${random.below(5) === 0 ? ' # lc' : ''}\n`;
    if (random.below(6) === 0) out += '\n';
  }
  return out;
}

function soup(random: Random): string {
  let out = '';
  for (let i = 1 + random.below(12); i > 0; i--) out += random.pick(atoms) + random.pick(separators);
  return out;
}

function damage(random: Random, text: string): string {
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = random.below(text.length + 1);
    const lines = text.split('\n');
    const line = random.below(lines.length);
    switch (random.below(5)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + 1 + random.below(6));
        break;
      case 1:
        text = text.slice(0, at) + random.pick(atoms) + text.slice(at);
        break;
      case 2:
        text =
          text.slice(0, at) +
          random.pick(['\n', ' ', '  ', '# z\n', '\n\n', ':', '- ', '\t', '\n# q\n']) +
          text.slice(at);
        break;
      case 3:
        lines.splice(line, 0, `${' '.repeat(random.below(8))}# cc${line}`);
        text = lines.join('\n');
        break;
      default:
        lines[line] = ' '.repeat(random.below(3)) + lines[line]!;
        text = lines.join('\n');
    }
  }
  return text.toWellFormed();
}

/** One nasty text; `real` are texts to damage. */
export function generateText(random: Random, real: readonly string[]): string {
  let text: string;
  switch (random.below(4)) {
    case 0:
      text = block(random, random.below(3) === 0 ? 2 : 0, 3);
      break;
    case 1:
      text = soup(random);
      break;
    case 2:
      text = real.length > 0 ? damage(random, random.pick(real)) : soup(random);
      break;
    default:
      text = damage(random, block(random, 0, 3));
  }
  if (random.below(10) === 0)
    text = block(random, 0, 1) + random.pick(['---\n', '--- # dc\n', '...\n', '...\n---\n']) + text;
  if (random.below(8) === 0) text = `${random.pick(comments)}\n\n${text}`;
  return random.below(12) === 0 ? text.trimEnd() : text;
}

const texts = [
  ...scalars,
  ...[
    '',
    ' ',
    '  ',
    '-',
    '- a',
    '--',
    '---',
    '--- a',
    '...',
    '?',
    '? a',
    ':',
    'a:',
    'a: b',
    ':a',
    '#',
    'a #b',
    '#a',
    '{',
  ],
  ...[
    '}',
    '[a]',
    ',',
    '&',
    '*a',
    '!x',
    '|',
    '>',
    "'",
    '"',
    "it's",
    '%',
    '@',
    '`',
    '\t',
    'a\tb',
    '\n',
    'a\nb',
    'a\nb\n',
  ],
  ...[
    'a\n\n',
    '\na',
    ' a\nb',
    'a \nb',
    'a\n b\n',
    '\r',
    'a\r\nb',
    '\u0085',
    'a\u0085b',
    '\u2028',
    'x\u2029y',
    '\ufeff',
  ],
  ...['\ufeffab c', '\u0001', '\u001b', '\u007f', '\u0090', '\ufffe', '日本語', 'a😀b', '\u00a0', '<', 'a<b>&c', '\\'],
  ...[
    'long word '.repeat(12),
    `${'x'.repeat(90)} yy`,
    'lorem ipsum  dolor '.repeat(8),
    'k'.repeat(129),
    'k'.repeat(1030),
  ],
  ...["don't ".repeat(20), '"q" '.repeat(25), `${'tab\t'.repeat(25)} e`, '🎉 party '.repeat(12)],
];
const keys = 'a b a1 a10 a2 a1b a01 a01b A a-b a.b x z9 z10 1 10 2 01 001 é aé Z _ -1 1- 1a a0 a00'.split(' ');
const numbers: readonly (number | bigint)[] = [
  ...[0, 1, -1, 1.5, -0.001, 1e-7, 1e21, 1e20, 123456789012, 1e300, 123456.5, 1234567.5, 0.0001, 0.00001, 1e6, 2 ** 53],
  ...[2 ** 63, 2 ** 64, -(2 ** 63), Number.MAX_VALUE, Number.MIN_VALUE],
  ...[9007199254740993n, -9223372036854775808n, 18446744073709551615n, 18446744073709551616n],
];

function text(random: Random): string {
  switch (random.below(3)) {
    case 0:
      return Array.from({ length: random.below(12) }, () =>
        random.pick([...'aB1_-.:# \n\t\'"{}[],&*!|>%@`?=~0x9é😀\u0085/\\']),
      ).join('');
    case 1:
      return random.pick(texts) + random.pick([' ', '', '\n', ': ', ' #']) + random.pick(texts);
    default:
      return random.pick(texts);
  }
}

/** Go orders some keys in a circle (`a2` < `a10` < `a1b` < `a2`): what it writes then depends on chance. */
function hasOneOrder(names: readonly string[]): boolean {
  return [compareKeys, compareKeysV3].every((compare) => {
    const before = (a: string, b: string): boolean => compare(a, b) < 0;
    return names.every((a) => names.every((b) => !before(a, b) || names.every((c) => !before(b, c) || before(a, c))));
  });
}

function json(random: Random, depth: number): JsonValue {
  const choice = random.below(10);
  if (depth > 0 && choice < 3) {
    const entries = Array.from({ length: random.below(5) }, (): [string, JsonValue] => {
      return [random.below(3) > 0 ? random.pick(keys) : text(random), json(random, depth - 1)];
    });
    return Object.fromEntries(hasOneOrder(entries.map(([key]) => key)) ? entries : entries.slice(0, 1));
  }
  if (depth > 0 && choice < 5) return Array.from({ length: random.below(4) }, () => json(random, depth - 1));
  if (choice === 5) return random.pick(numbers);
  return choice === 6 ? random.pick([true, false, null]) : text(random);
}

/** JSON text of a nasty value. */
export function generateJson(random: Random): string {
  return stringifyJson(json(random, 3));
}
