// Owns Kubernetes label selectors (`a=b,c!=d,e in (x,y),f,!g`): parsing with the API server's texts, and matching.
import { CodedError, errorMessage } from '../lib/errors.ts';
import { goQuote } from '../lib/goquote.ts';

/** A selector that does not parse. */
export class SelectorError extends CodedError<'InvalidSelector'> {}

function invalid(message: string): SelectorError {
  return new SelectorError('InvalidSelector', message, {});
}

type Operator = 'in' | 'notin' | 'exists' | 'absent' | '>' | '<';

/** One condition on labels. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

interface Token {
  readonly kind: 'word' | 'symbol' | 'end' | 'error';
  readonly text: string;
}

const SYMBOLS = ['==', '!=', '=', '!', '(', ')', ',', '>', '<'];

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [piece] of text.matchAll(/[^\s=!(),><]+|[=!(),><]+/g)) {
    if (!/^[=!(),><]/.test(piece)) {
      tokens.push({ kind: 'word', text: piece });
      continue;
    }
    for (let at = 0; at < piece.length; ) {
      const symbol = SYMBOLS.find((one) => piece.startsWith(one, at))!;
      tokens.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
    }
  }
  return tokens;
}

const END: Token = { kind: 'end', text: '' };

/** Parses a selector; '' has no condition. Throws SelectorError. */
export function parseLabelSelector(text: string): readonly Requirement[] {
  if (text === '') return [];
  const tokens = tokenize(text);
  const requirements: Requirement[] = [];
  let at = 0;
  const peek = (): Token => tokens[at] ?? END;
  const next = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };
  while (peek().kind !== 'end') {
    const first = peek();
    if (first.kind !== 'word' && first.text !== '!') {
      throw invalid(`found '${first.text}', expected: !, identifier, or 'end of string'`);
    }
    try {
      requirements.push(parseRequirement(peek, next));
    } catch (error) {
      throw invalid(`unable to parse requirement: ${errorMessage(error)}`);
    }
    const separator = next();
    if (separator.kind === 'end') break;
    if (separator.text !== ',') throw invalid(`found '${separator.text}', expected: ',' or 'end of string'`);
    const after = peek();
    if (after.kind !== 'word' && after.text !== '!') {
      throw invalid(`found '${after.text}', expected: identifier after ','`);
    }
  }
  return requirements;
}

function parseRequirement(peek: () => Token, next: () => Token): Requirement {
  let token = next();
  const negated = token.text === '!';
  if (negated) token = next();
  if (token.kind !== 'word') throw invalid(`found '${token.text}', expected: identifier`);
  const key = token.text;
  checkKey(key);
  if (peek().kind === 'end' || peek().text === ',') return { key, operator: negated ? 'absent' : 'exists', values: [] };
  // What follows is refused by the caller: nothing but a comma may.
  if (negated) return { key, operator: 'absent', values: [] };
  const operator = next();
  let values: readonly string[];
  switch (operator.text) {
    case 'in':
    case 'notin':
      values = parseValues(peek, next);
      break;
    case '=':
    case '==':
    case '!=':
    case '>':
    case '<':
      values = [parseExactValue(peek, next)];
      break;
    default:
      throw invalid(`found '${operator.text}', expected: '=', '!=', '==', 'in', notin'`);
  }
  return createRequirement(key, operator.text, values);
}

function createRequirement(key: string, word: string, values: readonly string[]): Requirement {
  if (word === '>' || word === '<') {
    if (!/^[+-]?\d+$/.test(values[0]!)) throw invalid("for 'Gt', 'Lt' operators, the value must be an integer");
    return { key, operator: word, values };
  }
  for (const value of values) checkValue(key, value);
  return { key, operator: word === 'notin' || word === '!=' ? 'notin' : 'in', values };
}

function parseExactValue(peek: () => Token, next: () => Token): string {
  if (peek().kind === 'end' || peek().text === ',') return '';
  const token = next();
  if (token.kind !== 'word') throw invalid(`found '${token.text}', expected: identifier`);
  return token.text;
}

function parseValues(peek: () => Token, next: () => Token): readonly string[] {
  const open = next();
  if (open.text !== '(') throw invalid(`found '${open.text}' expected: '('`);
  const first = peek();
  if (first.text === ')') {
    next();
    return [''];
  }
  if (first.kind !== 'word' && first.text !== ',') {
    throw invalid(`found '${first.text}', expected: ',', ')' or identifier`);
  }
  const values = new Set<string>();
  for (;;) {
    const token = next();
    if (token.kind === 'word') {
      values.add(token.text);
      const after = peek();
      if (after.text === ')' && after.kind === 'symbol') break;
      if (after.text !== ',') throw invalid(`found '${after.text}', expected: ',' or ')'`);
    } else if (token.text === ',') {
      if (values.size === 0) values.add('');
      const after = peek();
      if (after.text === ')') {
        values.add('');
        break;
      }
      if (after.text === ',') {
        next();
        values.add('');
      }
    } else {
      throw invalid(`found '${token.text}', expected: ',', or identifier`);
    }
  }
  next();
  return [...values].sort();
}

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const MUST =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

function checkKey(key: string): void {
  const faults: string[] = [];
  const parts = key.split('/');
  const name = parts.at(-1)!;
  if (parts.length > 2) {
    faults.push(
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    );
  } else {
    if (parts.length === 2 && parts[0] === '') faults.push('prefix part must be non-empty');
    else if (parts.length === 2 && !SUBDOMAIN.test(parts[0]!)) {
      faults.push(
        "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      );
    }
    if (name === '') faults.push('name part must be non-empty');
    if (name.length > 63) faults.push('name part must be no more than 63 characters');
    if (!NAME.test(name)) {
      faults.push(
        `name part ${MUST} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      );
    }
  }
  if (faults.length > 0) throw invalid(`invalid label key ${goQuote(key)}: ${faults.join('; ')}`);
}

function checkValue(key: string, value: string): void {
  const faults: string[] = [];
  if (value.length > 63) faults.push('must be no more than 63 characters');
  if (value !== '' && !NAME.test(value)) {
    faults.push(
      `a valid label must be an empty string or ${MUST.replace('must consist', 'consist')} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    );
  }
  if (faults.length > 0) {
    throw invalid(`invalid label value: ${goQuote(value)}: at key: ${goQuote(key)}: ${faults.join('; ')}`);
  }
}

/** True when all conditions hold. */
export function matchesLabels(requirements: readonly Requirement[], labels: ReadonlyMap<string, string>): boolean {
  return requirements.every((requirement) => matchesOne(requirement, labels.get(requirement.key)));
}

function matchesOne({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case '>':
      return value !== undefined && /^[+-]?\d+$/.test(value) && BigInt(value) > BigInt(values[0]!);
    case '<':
      return value !== undefined && /^[+-]?\d+$/.test(value) && BigInt(value) < BigInt(values[0]!);
    default:
      return operator satisfies never;
  }
}
