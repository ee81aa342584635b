// Owns random texts with substitutions for the differential test: mostly well-formed, often broken on purpose.
import { type Choices, createChoices } from '../choices.ts';

export interface SubstitutionInput {
  readonly text: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly strict: boolean;
}

const VALUES = ['', 'hello', 'x/y/z', 'héllo wörld', 'a.b.c', '€uro', 'ß', 'aXbXc', '-1', '2', '\\', '$', '{}', 'ﬀI'];
const NAMES = ['a', 'b', 'u', 'e', 'n', 'VAR_1', 'größe', '_', '9x'];
const OPERATORS = [
  '',
  ':-',
  ':=',
  '=',
  ':?',
  ':+',
  ',',
  ',,',
  '^',
  '^^',
  '#',
  '##',
  '%',
  '%%',
  ':',
  '/',
  '//',
  '/#',
  '/%',
];
const PATTERNS = [
  '*',
  '*/',
  '/*',
  '?',
  '??',
  '[a-z]',
  '[^x]*',
  'h*o',
  '*.',
  '[',
  '[a',
  'a]',
  '\\/',
  '\\\\',
  'é',
  '*ö*',
  '**X',
];
const WORDS = ['x', 'hello ', '${', '}', '$$', '$', '$a', '{', ' ', '\\', '/', ':', '€', '\n', '"', '\0', '::', '//'];
const NUMBERS = ['0', '1', '2', '-1', ' -2', '+1', '99', 'x', '-99', '9223372036854775808', ''];

/** The input of one seed. */
export function generateSubstitution(seed: number): SubstitutionInput {
  const random = createChoices(seed);
  const variables: Record<string, string> = {};
  for (const name of NAMES) if (random.chance(0.6)) variables[name] = random.pick(VALUES);
  return { text: generateText(random), variables, strict: random.chance(0.5) };
}

function generateText(random: Choices): string {
  let text = '';
  for (let left = 1 + random.below(4); left > 0; left--) {
    text += random.chance(0.5) ? generateExpansion(random, 0) : random.pick(WORDS);
  }
  if (!random.chance(0.1)) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(WORDS) + text.slice(at + random.below(3));
}

function generateExpansion(random: Choices, depth: number): string {
  const name = random.pick(NAMES);
  if (random.chance(0.1)) return `\${#${name}}`;
  const operator = random.pick(OPERATORS);
  const close = random.chance(0.97) ? '}' : '';
  switch (operator) {
    case '':
    case ',':
    case ',,':
    case '^':
    case '^^':
      return `\${${name}${operator}${close}`;
    case ':': {
      const length = random.chance(0.5) ? `:${generateArgument(random, NUMBERS, depth)}` : '';
      return `\${${name}:${generateArgument(random, NUMBERS, depth)}${length}${close}`;
    }
    case '/':
    case '//':
    case '/#':
    case '/%':
      return `\${${name}${operator}${generateArgument(random, [...PATTERNS, 'l', 'x/', 'X'], depth)}/${generateArgument(random, WORDS, depth)}${close}`;
    default:
      return `\${${name}${operator}${generateArgument(random, /[#%]/.test(operator) ? PATTERNS : WORDS, depth)}${close}`;
  }
}

function generateArgument(random: Choices, literals: readonly string[], depth: number): string {
  if (depth < 3 && random.chance(0.2)) {
    return (random.chance(0.3) ? random.pick(literals) : '') + generateExpansion(random, depth + 1);
  }
  return random.pick(literals) + (random.chance(0.3) ? random.pick(literals) : '');
}
