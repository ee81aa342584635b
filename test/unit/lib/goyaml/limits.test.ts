import { describe, expect, it } from 'vitest';
import { emitDocuments } from '../../../../src/lib/goyaml/emit.ts';
import { parseDocuments } from '../../../../src/lib/goyaml/parse.ts';
import { fromYaml, toYaml } from '../../../../src/lib/goyaml/sigs.ts';
import { nodeToValue } from '../../../../src/lib/goyaml/value.ts';

const deepest = 10_000;

describe('depth', () => {
  it.each([
    ['flow lists', '['.repeat(deepest) + ']'.repeat(deepest)],
    ['block lists', `${'- '.repeat(deepest)}a`],
  ])('of ten thousand %s is read and written', (_name, text) => {
    const documents = parseDocuments(text);
    const value = fromYaml(text);

    expect(emitDocuments(documents).length).toBeGreaterThan(deepest);
    expect(toYaml(value).length).toBeGreaterThan(deepest);
    expect(Array.isArray(nodeToValue(documents[0]!))).toBe(true);
  });

  it.each([
    ['flow lists', '['.repeat(deepest + 1)],
    ['flow maps', '{a: '.repeat(deepest + 1)],
    ['block lists', `${'- '.repeat(deepest + 1)}a`],
  ])('of more %s is refused', (_name, text) => {
    const refused = expect.objectContaining({ code: 'YamlLimit', message: 'yaml: exceeded max depth of 10000' });

    expect(() => parseDocuments(text)).toThrow(refused);
    expect(() => fromYaml(text)).toThrow('error converting YAML to JSON: yaml: exceeded max depth of 10000');
  });

  it('beyond what JSON is read with is refused as Go refuses it', () => {
    const text = `${'- '.repeat(6000)}${'['.repeat(6000)}${']'.repeat(6000)}`;

    expect(() => fromYaml(text)).toThrow('error unmarshaling JSON: while decoding JSON: exceeded max depth');
  });

  it('refuses a value too deep to be written', () => {
    let value: unknown = 1;
    for (let i = 0; i <= deepest; i++) value = [value];

    expect(() => toYaml(value as never)).toThrow('yaml: exceeded max depth of 10000');
  });
});

describe('aliases', () => {
  it('may not make most of a large document', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [i, name] of [...'bcdefghi'].entries()) {
      const before = `*${'abcdefgh'[i]}`;
      lines.push(`${name}: &${name} [${Array(9).fill(before).join(', ')}]`);
    }
    const bomb = lines.join('\n');

    expect(() => fromYaml(bomb)).toThrow('error converting YAML to JSON: yaml: document contains excessive aliasing');
    expect(() => nodeToValue(parseDocuments(bomb)[0]!)).toThrow(
      expect.objectContaining({ code: 'YamlLimit', message: 'yaml: document contains excessive aliasing' }),
    );
  });
});

describe('size', () => {
  it.each([
    ['words', `a: ${'x '.repeat(200_000)}x`],
    ['escapes', `a: "${'\\n'.repeat(200_000)}"`],
    ['lines', `a: |\n${'  line\n'.repeat(50_000)}`],
    ['doubled quotes', `a: '${"''".repeat(200_000)}'`],
  ])('of many %s goes both ways', (_name, text) => {
    const value = fromYaml(text);

    expect(fromYaml(toYaml(value))).toEqual(value);
  });
});

describe('bad input', () => {
  it('with many equal keys names the first thousand pairs', () => {
    const text = 'a: 1\n'.repeat(20_000);

    let message = '';
    try {
      nodeToValue(parseDocuments(text)[0]!);
    } catch (error) {
      message = (error as Error).message;
    }

    expect(message.split('\n')).toHaveLength(1001);
    expect(message).toMatch(/^yaml: unmarshal errors:\n {2}line 2: mapping key "a" already defined at line 1\n/);
  });

  it('with a million digits is a float that overflows, and thus text', () => {
    const digits = '7'.repeat(1_000_000);

    expect(fromYaml(`a: ${digits}`)).toEqual({ a: digits });
    expect(fromYaml(`a: ${'0'.repeat(1_000_000)}17`)).toEqual({ a: 15 });
  });

  it('with an alias bomb below a key that JSON has not is refused before it is printed', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (const [i, name] of [...'bcdefghi'].entries()) {
      lines.push(`${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`);
    }

    expect(() => fromYaml(`${lines.join('\n')}\n~: *i\n`)).toThrow('document contains excessive aliasing');
  });
});
