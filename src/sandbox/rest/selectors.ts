// Owns label selectors: parsing and matching, with the API server's messages. Field selectors are field-selectors.ts.
// Pure.
import type { KubeObject } from '../object.ts';
import { type ApiError, badRequest } from './errors.ts';
import { keyProblems, valueProblems } from './names.ts';

interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | '>' | '<';
  readonly values: readonly string[];
}

/** True for objects that a list or watch shows. */
export type Matcher = (object: KubeObject) => boolean;

const TOKEN = /[ \t\r\n]*(,|\(|\)|==|=|!=|!|>|<|[^ \t\r\n,()=!<>]+|$)/y;

/** Reads a label selector token by token. */
class SelectorReader {
  private readonly text: string;
  private at = 0;
  private ahead: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** The next token without taking it; '' at the end. */
  peek(): string {
    if (this.ahead === undefined) {
      TOKEN.lastIndex = this.at;
      this.ahead = TOKEN.exec(this.text)?.[1] ?? '';
      this.at = TOKEN.lastIndex;
    }
    return this.ahead;
  }

  take(): string {
    const token = this.peek();
    this.ahead = undefined;
    return token;
  }
}

function found(token: string, expected: string): ApiError {
  return badRequest(`found '${token}', expected: ${expected}`);
}

/** A fault inside one requirement; those between requirements have no such prefix. */
function unparsed(why: string): ApiError {
  return badRequest(`unable to parse requirement: ${why}`);
}

const PUNCTUATION = new Set([',', '(', ')', '=', '==', '!=', '!', '>', '<', '']);

function parseLabelSelector(text: string): Requirement[] {
  const reader = new SelectorReader(text);
  const requirements: Requirement[] = [];
  while (reader.peek() !== '') {
    const first = reader.peek();
    if (first !== '!' && PUNCTUATION.has(first)) throw found(first, "!, identifier, or 'end of string'");
    requirements.push(parseRequirement(reader));
    const next = reader.take();
    if (next === '') break;
    if (next !== ',') throw found(next, "',' or 'end of string'");
    const after = reader.peek();
    if (after !== '!' && PUNCTUATION.has(after)) throw found(after, "identifier after ','");
  }
  return requirements;
}

function parseRequirement(reader: SelectorReader): Requirement {
  const first = reader.take();
  const absent = first === '!';
  const key = absent ? reader.take() : first;
  if (PUNCTUATION.has(key)) throw unparsed(`found '${key}', expected: identifier`);
  const problems = keyProblems(key);
  if (problems.length > 0) throw unparsed(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
  const next = reader.peek();
  if (absent || next === '' || next === ',') return { key, operator: absent ? '!' : 'exists', values: [] };
  const operator = reader.take();
  switch (operator) {
    case '=':
    case '==':
    case '!=':
      return checked({ key, operator: operator === '!=' ? '!=' : '=', values: [parseValue(reader)] });
    case '>':
    case '<':
      return checked({ key, operator, values: [parseValue(reader)] });
    case 'in':
    case 'notin':
      return checked({ key, operator, values: parseValues(reader) });
    default:
      throw unparsed(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function parseValue(reader: SelectorReader): string {
  const token = reader.peek();
  if (token === '' || token === ',') return '';
  if (PUNCTUATION.has(token)) throw unparsed(`found '${token}', expected: identifier`);
  return reader.take();
}

function parseValues(reader: SelectorReader): string[] {
  const open = reader.take();
  // The comma that other messages have is missing in the API server's, too.
  if (open !== '(') throw unparsed(`found '${open}' expected: '('`);
  const first = reader.peek();
  if (first !== ',' && first !== ')' && PUNCTUATION.has(first))
    throw unparsed(`found '${first}', expected: ',', ')' or identifier`);
  const values: string[] = [];
  let value = '';
  for (;;) {
    const token = reader.take();
    if (token === ',' || token === ')') {
      values.push(value);
      value = '';
      if (token === ')') return values;
    } else if (value !== '' || PUNCTUATION.has(token)) throw unparsed(`found '${token}', expected: ',' or ')'`);
    else value = token;
  }
}

/** Size of a signed 64-bit integer. */
const INTEGER = /^[+-]?\d{1,19}$/;

/** The requirement, if its values are such as its operator and label values may be. */
function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const faults: string[] = [];
  for (const [i, value] of values.entries()) {
    const shown = JSON.stringify(value);
    if ((operator === '>' || operator === '<') && !INTEGER.test(value))
      faults.push(`values[${i}]: Invalid value: ${shown}: for 'Gt', 'Lt' operators, the value must be an integer`);
    const problems = valueProblems(value);
    if (problems.length > 0) faults.push(`values[${i}][${key}]: Invalid value: ${shown}: ${problems.join('; ')}`);
  }
  if (faults.length === 0) return requirement;
  throw unparsed(faults.length === 1 ? faults[0]! : `[${faults.join(', ')}]`);
}

function meets(requirement: Requirement, value: string | undefined): boolean {
  const { operator, values } = requirement;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '=':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case '>':
      return value !== undefined && INTEGER.test(value) && Number(value) > Number(values[0]);
    case '<':
      return value !== undefined && INTEGER.test(value) && Number(value) < Number(values[0]);
    default:
      return operator satisfies never;
  }
}

/** Matcher of a `labelSelector` parameter; undefined when it selects all. Throws ApiError 400. */
export function labelMatcher(text: string): Matcher | undefined {
  const requirements = parseLabelSelector(text);
  if (requirements.length === 0) return undefined;
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((requirement) =>
      meets(requirement, Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined),
    );
  };
}
