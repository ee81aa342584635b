import { describe, expect, it } from 'vitest';
import { loadYaml } from '../../../src/lib/yaml.ts';

describe('loadYaml', () => {
  it('reads YAML and JSON', () => {
    expect(loadYaml('a: {b: [1, yes]}')).toEqual({ a: { b: [1, 'yes'] } });
    expect(loadYaml('{"a": null}')).toEqual({ a: null });
  });

  it('reads an empty text as null', () => {
    expect(loadYaml('')).toBeNull();
    expect(loadYaml('# nothing\n')).toBeNull();
  });

  it('keeps keys named like members of a prototype', () => {
    const value = loadYaml('__proto__: {x: 1}\nconstructor: 2') as object;

    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
  });

  it('says where a text is wrong', () => {
    expect(() => loadYaml('a: 1\nb: [')).toThrow(
      expect.objectContaining({ code: 'InvalidYaml', data: expect.objectContaining({ line: expect.any(Number) }) }),
    );
  });
});
