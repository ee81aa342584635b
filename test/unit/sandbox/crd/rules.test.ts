import { describe, expect, it } from 'vitest';
import { checkRules, checkRuleTexts, type RuleEngine } from '../../../../src/sandbox/crd/rules.ts';
import { customSchema } from '../schema-of.ts';

/** Expressions are JavaScript here: what is tested is where rules run and how their faults read. */
const engine: RuleEngine = {
  compileRule: (text) => {
    const run = compile(text);
    return { isTransition: text.includes('oldSelf'), holds: ({ self, oldSelf }) => run(self, oldSelf) === true };
  },
  compileMessage: (text) => {
    const run = compile(text);
    return ({ self, oldSelf }) => String(run(self, oldSelf));
  },
};

function compile(text: string): (self: unknown, oldSelf: unknown) => unknown {
  return new Function('self', 'oldSelf', `return (${text})`) as (self: unknown, oldSelf: unknown) => unknown;
}

function check(rules: object[], self: unknown, old?: unknown): string[] {
  const schema = customSchema({
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { size: { type: 'integer' } }, 'x-kubernetes-validations': rules },
    },
  });
  return checkRules(engine, schema, { self: { spec: self }, old: old === undefined ? undefined : { spec: old } }).map(
    ({ type, field, message }) => `${type} ${field}: ${message}`,
  );
}

describe('rules of custom resources', () => {
  it('pass silently and fail with their message', () => {
    const rule = { rule: 'self.size > 1', message: 'too small' };

    expect(check([rule], { size: 2 })).toEqual([]);
    expect(check([rule], { size: 1 })).toEqual(['FieldValueInvalid spec: Invalid value: too small']);
    expect(check([{ rule: 'self.size > 1' }], { size: 1 })).toEqual([
      'FieldValueInvalid spec: Invalid value: failed rule: self.size > 1',
    ]);
  });

  it('may compute their message, name a field and a reason', () => {
    const rule = {
      rule: 'false',
      messageExpression: '"size is " + self.size',
      fieldPath: '.size',
      reason: 'FieldValueForbidden',
    };

    expect(check([rule], { size: 1 })).toEqual(['FieldValueForbidden spec.size: Forbidden: size is 1']);
  });

  it('look at the old value only when there is one', () => {
    const rule = { rule: 'self.size >= oldSelf.size', message: 'may not shrink' };

    expect(check([rule], { size: 1 })).toEqual([]);
    expect(check([rule], { size: 1 }, { size: 2 })).toEqual(['FieldValueInvalid spec: Invalid value: may not shrink']);
  });

  it('that cannot be evaluated are faults', () => {
    expect(check([{ rule: 'self.a.b' }], {})[0]).toContain('evaluating rule: self.a.b');
  });

  it('that do not compile are named by their place in the definition', () => {
    const schema = { properties: { spec: { items: { 'x-kubernetes-validations': [{ rule: 'self >' }] } } } };

    expect(checkRuleTexts(engine, schema, 'schema').map(({ field }) => field)).toEqual([
      'schema.properties[spec].items.x-kubernetes-validations[0].rule',
    ]);
  });

  it('stop when the work of one object is more than its budget', () => {
    let runs = 0;
    const costly: RuleEngine = {
      ...engine,
      compileRule: () => ({
        isTransition: false,
        holds: (_, meter) => {
          runs++;
          meter.spent += 1_000_000;
          return true;
        },
      }),
    };
    const items = { type: 'integer', 'x-kubernetes-validations': [{ rule: 'true' }] };
    const schema = customSchema({ type: 'object', properties: { list: { type: 'array', items } } });

    const faults = checkRules(costly, schema, { self: { list: Array(1000).fill(1) }, old: undefined });

    expect(runs).toBe(11);
    expect(faults).toEqual([
      {
        type: 'FieldValueInvalid',
        field: 'list[10]',
        message:
          'Invalid value: "integer": validation failed due to running out of cost budget, no further validation rules will be run',
      },
    ]);
  });
});
