import { describe, expect, it } from 'vitest';
import { compileMessage, compileRule } from '../../../../src/lang/cel/rule.ts';

const object = { type: 'object' };

describe('compileRule', () => {
  it.each([
    [
      'self.min <= self.max',
      { type: 'object', properties: { min: { type: 'number' }, max: { type: 'number' } } },
      { min: 1, max: 2 },
      true,
    ],
    ['self.ratio / 2.0 == 1.0', { type: 'object', properties: { ratio: { type: 'number' } } }, { ratio: 2 }, true],
    ['self.all(x, x > 0)', { type: 'array', items: { type: 'integer' } }, [1, 0], false],
    ['size(self) == 5', { type: 'string', format: 'byte' }, btoa('hello'), true],
    ['self > timestamp("2024-01-01T00:00:00Z")', { type: 'string', format: 'date-time' }, '2024-06-01T00:00:00Z', true],
    ['self < duration("2h")', { type: 'string', format: 'duration' }, '90m', true],
    ['type(self) == string ? self.endsWith("%") : self > 0', { 'x-kubernetes-int-or-string': true }, '50%', true],
    [
      'self.a__dash__b == 1 && self.__namespace__ == "x"',
      { type: 'object', properties: { 'a-b': { type: 'integer' }, namespace: { type: 'string' } } },
      { 'a-b': 1, namespace: 'x' },
      true,
    ],
    ['self["a-b"] == "x"', { type: 'object', additionalProperties: { type: 'string' } }, { 'a-b': 'x' }, true],
    ['!has(self.gone)', object, {}, true],
    ['quantity(self).isLessThan(quantity("1Gi"))', { type: 'string' }, '512Mi', true],
    ['quantity("1500m").compareTo(quantity("1.5")) == 0 && quantity("2k").asInteger() == 2000', object, {}, true],
    [
      'semver(self).isLessThan(semver("1.10.0")) && semver("v1.2", true) == semver("1.2.0") && semver(self).minor() == 9',
      { type: 'string' },
      '1.9.0-rc.1',
      true,
    ],
    ['isSemver("v1.2.3") || isSemver("1.2") || isSemver("01.2.3")', object, {}, false],
    ['isQuantity("1.5.5") || isQuantity("abc")', object, {}, false],
    [
      'url(self).getHostname() == "a.b" && url(self).getPort() == "80" && url(self).getQuery()["q"] == ["1", "2"]',
      { type: 'string' },
      'https://u@a.b:80/x?q=1&q=2',
      true,
    ],
    ['isURL("../x") || isURL("no url")', object, {}, false],
    [
      'ip("2001:db8:0:0::1") == ip("2001:db8::1") && ip("127.0.0.1").isLoopback() && ip("::1").family() == 6',
      object,
      {},
      true,
    ],
    ['isIP("1.2.3.04") || isIP("::ffff:1.2.3.4") || isIP("1::2::3")', object, {}, false],
    ['ip.isCanonical("2001:DB8::1")', object, {}, false],
    [
      'cidr("10.0.0.0/8").containsIP("10.1.2.3") && cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && string(cidr("10.1.2.3/8").masked()) == "10.0.0.0/8"',
      object,
      {},
      true,
    ],
    [
      'self.find("[0-9]+") == "12" && self.findAll("[0-9]+", 1) == ["12"] && self.findAll("[0-9]+") == ["12", "3"]',
      { type: 'string' },
      'a12b3',
      true,
    ],
    [
      '[1, 2, 3].isSorted() && [1, 2].sum() == 3 && [3, 1].min() == 1 && ["a"].max() == "a" && [1, 2, 1].lastIndexOf(1) == 2',
      object,
      {},
      true,
    ],
  ])('%s', (rule, schema, self, holds) => {
    expect(compileRule(rule, schema).holds({ self })).toBe(holds);
  });

  it('compares with the value before', () => {
    const rule = compileRule('self.a >= oldSelf.a', object);

    expect(rule.isTransition).toBe(true);
    expect(rule.holds({ self: { a: 1 }, oldSelf: { a: 2 } })).toBe(false);
    expect(compileRule('self.a > 0', object).isTransition).toBe(false);
  });

  it('gives an optional value before when asked to', () => {
    const rule = compileRule('oldSelf.optMap(o, o.a == self.a).orValue(true)', object, { optionalOldSelf: true });

    expect(rule.holds({ self: { a: 1 } })).toBe(true);
    expect(rule.holds({ self: { a: 1 }, oldSelf: { a: 2 } })).toBe(false);
  });

  it('refuses rules that are no condition or use what is not there', () => {
    expect(() => compileRule('size(self)', object)).toThrow('must evaluate to a bool, got int');
    expect(() => compileRule('other.a == 1', object)).toThrow("undeclared reference to 'other'");
    expect(() => compileRule('self + 1 == 2', { type: 'string' })).toThrow('found no matching overload');
  });

  it('counts its work, and gives up after a million steps', () => {
    const rule = compileRule('self.all(a, self.all(b, a + b > 0))', { type: 'array', items: { type: 'integer' } });
    const meter = { spent: 0, values: new WeakMap() };

    expect(rule.holds({ self: Array(10).fill(1) }, meter)).toBe(true);
    expect(meter.spent).toBeGreaterThan(100);
    expect(() => rule.holds({ self: Array(10_000).fill(1) }, meter)).toThrow('does too much');
    expect(meter.spent).toBeLessThan(1_100_000);
  });

  it('reads a value once for all rules of a schema', () => {
    const schema = { type: 'array', items: { type: 'integer' } };
    const rules = ['size(self) > 0', 'size(self) < 9999'].map((text) => compileRule(text, schema));
    const meter = { spent: 0, values: new WeakMap() };
    const self = Array(1000).fill(1);

    for (const rule of rules) expect(rule.holds({ self }, meter)).toBe(true);

    expect(meter.spent).toBeGreaterThan(1000);
    expect(meter.spent).toBeLessThan(1100);
  });
});

describe('compileMessage', () => {
  it('makes a text of the value', () => {
    const message = compileMessage('"%d is too many".format([self.n])', object);

    expect(message({ self: { n: 3 } })).toBe('3 is too many');
  });
});
