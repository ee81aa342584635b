import { describe, expect, it } from 'vitest';
import type { HealthCheckExpression } from '../../../src/api/kustomize/kustomization.ts';
import { compileHealthExpressions, compileReadyExpression } from '../../../src/health/expressions.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { Manifest } from '../../../src/objects/manifest.ts';

function object(status?: JsonObject, generation = 1): Manifest {
  const base = { apiVersion: 'db.example.com/v1', kind: 'Database', metadata: { name: 'db', generation } };
  return status === undefined ? base : { ...base, status };
}

function entry(fields: Partial<HealthCheckExpression> = {}): HealthCheckExpression {
  return { apiVersion: 'db.example.com/v2', kind: 'Database', current: 'status.phase == "Up"', ...fields };
}

describe('compileHealthExpressions', () => {
  it('goes by group and kind whatever the version, and by group alone where no kind is said', () => {
    const whole = compileHealthExpressions([entry({ kind: '', current: 'true' })]);
    const both = compileHealthExpressions([{ apiVersion: 'db.example.com/v1', current: 'true' }, entry()]);

    expect(whole.judge(object())?.status).toBe('Current');
    expect(both.judge(object({ phase: 'Down' }))?.status).toBe('InProgress');
    expect(both.covers({ group: 'db.example.com', kind: 'Other' })).toBe(true);
    expect(both.covers({ group: 'example.com', kind: 'Database' })).toBe(false);
    expect(both.judge({ ...object(), apiVersion: 'v1' })).toBeUndefined();
  });

  it('asks inProgress, then failed, then current', () => {
    const all = entry({ inProgress: 'status.a', failed: 'status.b', current: 'status.c' });
    const judge = (a: boolean, b: boolean, c: boolean): string | undefined =>
      compileHealthExpressions([all]).judge(object({ a, b, c }))?.status;

    expect([
      judge(true, true, true),
      judge(false, true, true),
      judge(false, false, true),
      judge(false, false, false),
    ]).toEqual(['InProgress', 'Failed', 'Current', 'InProgress']);
  });

  it('waits for the observed generation first', () => {
    const expressions = compileHealthExpressions([entry({ current: 'true' })]);

    expect(expressions.judge(object({ observedGeneration: 1 }, 2))).toEqual({
      status: 'InProgress',
      message: 'Database generation is 2, but latest observed generation is 1',
    });
    expect(expressions.judge(object({ observedGeneration: '1' }, 2))?.status).toBe('Current');
  });

  it('does not know while an evaluation fails', () => {
    expect(compileHealthExpressions([entry()]).judge(object())).toEqual({
      status: 'Unknown',
      message: `failed to evaluate the CEL expression 'status.phase == "Up"': no such attribute(s): status`,
    });
    expect(compileHealthExpressions([entry({ current: 'kind' })]).judge(object())).toEqual({
      status: 'Unknown',
      message: "failed to evaluate CEL expression as boolean: 'kind'",
    });
  });

  it('refuses duplicates and expressions that do not parse', () => {
    expect(() => compileHealthExpressions([entry(), entry()])).toThrow(
      'duplicate custom health check for GroupKind Database.db.example.com at healthchecks[1]',
    );
    expect(() => compileHealthExpressions([entry({ current: '' })])).toThrow(
      'failed to create custom status evaluator for healthchecks[0]: expression Current not specified',
    );
    expect(() => compileHealthExpressions([entry({ failed: 'a.' })])).toThrow(
      "failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Failed: failed to parse the CEL expression 'a.': ERROR: <input>:1:3: Syntax error: ",
    );
  });

  it('ends expressions that would never end (threats.md §4 row 12)', () => {
    const list = JSON.stringify(Array.from({ length: 100 }, (_, i) => i));
    const endless = `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, true))))`;

    const verdict = compileHealthExpressions([entry({ current: endless })]).judge(object());

    expect(verdict?.status).toBe('Unknown');
    expect(verdict?.message).toContain('the expression does too much');
  });
});

describe('compileReadyExpression', () => {
  const self = { metadata: { labels: { 'app/version': '2' } } };

  it('compares the object with its dependency', () => {
    const text = "dep.metadata.labels['app/version'] == self.metadata.labels['app/version']";
    const ready = compileReadyExpression('infra', text);

    expect(ready.isReady(self, self)).toBe(true);
    expect(ready.isReady(self, { metadata: { labels: { 'app/version': '3' } } })).toBe(false);
    expect(() => ready.isReady(self, {})).toThrow(
      `failed to evaluate the CEL expression '${text}': no such key: metadata`,
    );
  });

  it.each([
    [
      'foo',
      "failed to evaluate dependency infra: failed to parse the CEL expression 'foo': ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo\n | ^",
    ],
    ['self.a', 'failed to evaluate dependency infra: CEL expression output type mismatch: expected bool, got dyn'],
    ["'x'", 'failed to evaluate dependency infra: CEL expression output type mismatch: expected bool, got string'],
    [
      "self == 'bar'",
      "failed to evaluate dependency infra: failed to parse the CEL expression 'self == 'bar'': ERROR: <input>:1:",
    ],
  ])('refuses %s', (text, message) => {
    expect(() => compileReadyExpression('infra', text)).toThrow(message);
  });
});
