import { describe, expect, it } from 'vitest';
import { elementsOf, textOf } from '../../../../src/remote/s3/xml.ts';

describe('elementsOf', () => {
  it('gives the insides of each element in order', () => {
    expect([...elementsOf('<L><C>1</C><D/><C><K>2</K></C></L>', 'C')]).toEqual(['1', '<K>2</K>']);
  });

  it.each(['', '<C>', '<C>never closed', '</C><C', '<Cx>1</Cx>'])('gives nothing for %s', (xml) => {
    expect([...elementsOf(xml, 'C')]).toEqual([]);
  });
});

describe('textOf', () => {
  it.each([
    ['<K>a&amp;b&lt;c&gt;&quot;&apos;</K>', `a&b<c>"'`],
    ['<K>&#65;&#x42;&#x1F600;</K>', 'AB😀'],
    ['<K>&unknown;&#0;&#x110000;&</K>', '&unknown;&#0;&#x110000;&'],
    ['<J>x</J>', undefined],
  ])('reads %s', (xml, text) => {
    expect(textOf(xml, 'K')).toBe(text);
  });
});
