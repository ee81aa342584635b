// Compares expressions with cel-go, set up as Flux does it: a list of corners and seeded random expressions must give
// the same value, or fail in the same phase.
import { describe, expect, it } from 'vitest';
import { CelError } from '../../src/lang/cel/errors.ts';
import { compileExpression } from '../../src/lang/cel/expression.ts';
import { formatDurationText, formatTimestamp } from '../../src/lang/cel/functions/time.ts';
import {
  type CelValue,
  Duration,
  isList,
  isMap,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
} from '../../src/lang/cel/value.ts';
import { formatFloat } from '../../src/lang/gotemplate/strconv.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { type AskGo, hasGo, useGoOracle } from '../support/go-oracle.ts';
import { CORNERS, DATA, generateExpression } from './cel/generate.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 5000);
const data = DATA as unknown as JsonObject;

describe.skipIf(!hasGo)('CEL against cel-go (skipped only where there is no go command)', () => {
  const ask = useGoOracle('cel/oracle');

  // Known: `.5` without a zero and names such as `__proto__` are refused by the parser; `1` and `1u` are one map key.
  it('agrees on corners', () => {
    expect(differencesOf(ask, CORNERS)).toEqual([]);
  });

  it(`agrees on ${SEEDS} random expressions`, () => {
    const expressions = Array.from({ length: SEEDS }, (_, seed) => generateExpression(seed));

    expect(differencesOf(ask, expressions).slice(0, 10)).toEqual([]);
  });

  it('checks as the compiler does', () => {
    const names = ['self', 'dep'];
    const compiled = [
      'self.a == dep.b',
      'self == "x"',
      'self.a',
      'foo',
      'self.a == true',
      '1',
      '"a"',
      'self.a && dep.b',
      'self.list.all(x, x > 1)',
      'self.list.exists(x, x)',
      'self.a + 1',
      'self.a + 1 == 2',
      'has(self.a)',
      'has(self)',
      'self.a.foo()',
      'self.a.lowerAscii() == "x"',
      'size(self.a) > 1',
      'size(1) > 1',
      '"a".contains(1)',
      '[1, "a"] == []',
      'self.?a.orValue(false)',
      'self.a.orValue(false)',
      'self.a ? true : false',
      '1 ? true : false',
      'true ? 1 : "a"',
      'timestamp(self.a) > timestamp("2024-01-01T00:00:00Z")',
      '"a" < 1',
      '1 < 1.5',
      '1 == 1.0',
      '1 == "a"',
      '!self.a',
      '!1',
      '-"a" == 1',
      '"a" in self.list',
      '1 in 2',
      '"a"[0] == 1',
      '1.foo',
      'self.list.map(x, y) == []',
      'self.metadata.labels["app"].startsWith("x")',
      'dyn(1) == "a"',
      'null == self.a',
      'null == 1',
      '"a".matches("x")',
      'self.items.filter(i, i.ready).size() == 3',
    ];

    expect(phasesOf(ask, compiled, names)).toEqual([]);
  });
});

interface OracleOutput {
  readonly value?: string;
  readonly invalid?: string;
  readonly failed?: string;
}

function runOracle(ask: AskGo, expressions: readonly string[], variables: readonly string[]): OracleOutput[] {
  const input = expressions.map((expression) => ({ expression, data: variables.length > 0 ? {} : DATA, variables }));
  return JSON.parse(ask(JSON.stringify(input))) as OracleOutput[];
}

function differencesOf(ask: AskGo, expressions: readonly string[]): unknown[] {
  const wanted = runOracle(ask, expressions, []);
  return expressions.flatMap((expression, index) => {
    const got = evaluate(expression);
    const { value, invalid, failed } = wanted[index]!;
    const want = value ?? (isSyntaxError(invalid) ? 'invalid' : 'failed');
    return got.result === want ? [] : [{ expression, got, want, says: invalid ?? failed }];
  });
}

function evaluate(expression: string): { result: string; says?: string } {
  try {
    return { result: show(compileExpression(expression).evaluate(data)) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { result: isSyntaxError(error.message) ? 'invalid' : 'failed', says: error.message };
  }
}

/** cel-go runs constant parts when it makes the program; here most of them run with the rest. */
function isSyntaxError(message: string | undefined): boolean {
  return message?.includes('ERROR: <input>') === true;
}

/** Compares whether expressions compile and give a boolean. */
function phasesOf(ask: AskGo, expressions: readonly string[], variables: readonly string[]): unknown[] {
  const wanted = runOracle(ask, expressions, variables);
  return expressions.flatMap((expression, index) => {
    let problem = '';
    try {
      compileExpression(expression, { variables });
    } catch (error) {
      problem = (error as Error).message;
    }
    const isInvalid = problem !== '' && !problem.startsWith('CEL expression output type');
    const { invalid } = wanted[index]!;
    return isInvalid === (invalid !== undefined) ? [] : [{ expression, problem, invalid }];
  });
}

function show(value: CelValue): string {
  if (typeof value === 'string') return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeHtml);
  if (typeof value === 'number') return `double(${formatFloat(value, 'g', -1)})`;
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `bytes(${Buffer.from(value).toString('hex')})`;
  if (value instanceof Optional) return value.value === undefined ? 'none' : `optional(${show(value.value)})`;
  if (value instanceof TypeValue) return `type(${value.name})`;
  if (value instanceof Timestamp) return `google.protobuf.Timestamp(${formatTimestamp(value)})`;
  if (value instanceof Duration) return `google.protobuf.Duration(${formatDurationText(value)})`;
  if (isList(value)) return `[${value.map(show).join(', ')}]`;
  if (!isMap(value)) return value.key;
  const entries = [...value].map(([key, item]) => `${show(key)}: ${show(item)}`);
  return `{${entries.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join(', ')}}`;
}

function escapeHtml(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
