import { describe, expect, it } from 'vitest';
import { CelError } from '../../../../src/lang/cel/errors.ts';
import { compileExpression } from '../../../../src/lang/cel/expression.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof CelError ? error.code : String(error);
  }
  return undefined;
}

describe('compileExpression', () => {
  it.each([
    ['n + 1', 4n],
    ['n / 2.0 == 1.5 || true', true],
    ['n == 3.0 && n == 3u', true],
    ['list.filter(x, x > 1).map(x, x * 2)', [4n, 6n]],
    ['items.exists(i, i.type == "Ready" && i.status == "True")', true],
    ['missing || n == 3', true],
    ['has(items[0].type) && !has(items[0].other)', true],
    ['items[0].?other.orValue("none")', 'none'],
    ['"%s-%03d".format(["a", 1]) != ""', undefined],
    ['"a,b".split(",")[1].upperAscii()', 'B'],
    ['cel.bind(x, n * n, x + x)', 18n],
    ['duration("90m") > duration("1h")', true],
    ['big == 9007199254740993', true],
  ])('%s', (text, value) => {
    const data = {
      n: 3,
      list: [1, 2, 3],
      items: [{ type: 'Ready', status: 'True' }],
      big: 9007199254740993n,
    } as unknown as JsonObject;

    if (value === undefined) expect(codeOf(() => compileExpression(text).evaluate(data))).toBe('CelFailed');
    else expect(compileExpression(text).evaluate(data)).toEqual(value);
  });

  it.each([
    ['a.b', 'no such key: b'],
    ['missing', 'no such attribute(s): missing'],
    ['list[5]', 'index out of bounds: 5'],
    ['1 / zero', 'division by zero'],
    ['9223372036854775807 + list[0]', 'integer overflow'],
    ['list + 1', 'no such overload'],
    ['__proto_', 'no such attribute(s): __proto_'],
    ['a.constructor', 'no such key: constructor'],
  ])('%s fails: %s', (text, message) => {
    const run = (): unknown => compileExpression(text).evaluate({ a: {}, list: [1], zero: 0 });

    expect(run).toThrow(`failed to evaluate the CEL expression '${text}': ${message}`);
  });

  it('shows where the mistake is', () => {
    expect(() => compileExpression('a &&\n  b.c(')).toThrow(
      /^failed to parse the CEL expression 'a &&\n {2}b\.c\(': ERROR: <input>:2:7: Syntax error: .*\n \| {3}b\.c\(\n \| \.{6}\^$/,
    );
  });

  it('finds patterns and constants that can never work', () => {
    expect(() => compileExpression('name.matches("(")')).toThrow('failed to create CEL program: error parsing regexp');
    expect(() => compileExpression('timestamp("x") < timestamp("y")')).toThrow('failed to create CEL program:');
  });
});

describe('limits (threats.md §4 row 12)', () => {
  const data = { text: 'x'.repeat(100_000) };
  const doubled = Array.from({ length: 40 }, (_, i) => `cel.bind(v${i + 1}, v${i} + v${i}, `).join('');

  it.each([
    ['doubling texts', `cel.bind(v0, "ab", ${doubled}v40${')'.repeat(41)}`],
    ['replacing by long texts', 'text.replace("x", text)'],
    ['nested macros', 'text.split("").all(a, text.split("").all(b, a == b))'],
    ['reading long texts again and again', 'text.split("").exists(c, text.trim().size() == 1)'],
    ['joining long lists', 'text.split("").join(text)'],
  ])('%s end early', (_name, expression) => {
    expect(codeOf(() => compileExpression(expression).evaluate(data))).toBe('CelLimit');
  });

  it('answers patterns in linear time that take for ever in others', () => {
    expect(compileExpression('(text + text).matches("(x*)*y|(x+x+)+y")').evaluate(data)).toBe(false);
  });

  it('refuses deep nesting and long texts instead of running out of stack', () => {
    for (const bomb of [
      '('.repeat(5000),
      '!'.repeat(50_000) + 'true',
      '['.repeat(3000),
      'a.'.repeat(20_000),
      `${'1+'.repeat(30_000)}1`,
    ]) {
      expect(codeOf(() => compileExpression(bomb).evaluate({}))).toMatch(/^Cel(Invalid|Limit)$/);
    }
  });
});
