import { describe, expect, it } from 'vitest';
import { YamlError } from '../../../../src/lib/goyaml/error.ts';
import type { YamlNode } from '../../../../src/lib/goyaml/node.ts';
import { parseDocuments, parseFirstDocument } from '../../../../src/lib/goyaml/parse.ts';

/** The root node of a text's only document. */
function root(text: string): YamlNode {
  const documents = parseDocuments(text);
  expect(documents).toHaveLength(1);
  return documents[0]!.content[0]!;
}

function failure(text: string): YamlError {
  try {
    parseDocuments(text);
  } catch (error) {
    if (error instanceof YamlError) return error;
    throw error;
  }
  throw new Error('parsed');
}

describe('documents', () => {
  it('has none in an empty text or one of comments', () => {
    expect(parseDocuments('')).toEqual([]);
    expect(parseDocuments('# only a comment\n')).toEqual([]);
  });

  it('has a null for an empty document', () => {
    expect(parseDocuments('---\n---\na\n').map((d) => d.content[0]!.tag)).toEqual(['!!null', '!!str']);
  });

  it('reads the first document without looking at what is broken behind it', () => {
    expect(parseFirstDocument('a: b\n---\n[\n')?.content[0]?.kind).toBe('mapping');
  });

  it('leaves a byte order mark out', () => {
    expect(root('\ufeffa: b').content[0]!.value).toBe('a');
  });

  it('lets an alias reach into an earlier document, as yaml.v3 does', () => {
    const [first, second] = parseDocuments('a: &x 1\n---\nb: *x\n');

    expect(second!.content[0]!.content[1]!.alias).toBe(first!.content[0]!.content[1]);
  });
});

describe('nodes', () => {
  it('carry places that count characters', () => {
    const { content } = root('{"😀é": x}');

    expect([content[0]!.line, content[0]!.column]).toEqual([1, 2]);
    expect([content[1]!.line, content[1]!.column]).toEqual([1, 8]);
  });

  it('carry styles and tags', () => {
    const { content } = root('- a\n- "a"\n- \'a\'\n- |\n  a\n- >\n  a\n- !!str 1\n- [1]\n- !x {a: b}\n');

    expect(content.map((node) => node.style)).toEqual([
      {},
      { scalar: 'double' },
      { scalar: 'single' },
      { scalar: 'literal' },
      { scalar: 'folded' },
      { tagged: true },
      { flow: true },
      { flow: true, tagged: true },
    ]);
    expect(content.map((node) => node.tag)).toEqual([
      '!!str',
      '!!str',
      '!!str',
      '!!str',
      '!!str',
      '!!str',
      '!!seq',
      '!x',
    ]);
  });

  it.each([
    ['plain over\n  two lines', 'plain over two lines'],
    ['a\n\n\n  b', 'a\n\nb'],
    ['"a \\\n   b"', 'a b'],
    ['"a\n\n  b"', 'a\nb'],
    ['"\\x41\\u00e9\\U0001F600\\N\\_\\L\\P\\e\\0"', 'Aé😀\u0085\u00a0\u2028\u2029\u001b\0'],
    ["'it''s'", "it's"],
    ['|-\n  a\n   b\n\n', 'a\n b'],
    ['|+\n  a\n\n', 'a\n\n'],
    ['|2\n    a\n', '  a\n'],
    ['>\n  a\n  b\n\n  c\n   d\n  e\n', 'a b\nc\n d\ne\n'],
  ])('reads the scalar %j', (text, value) => {
    expect(root(text).value).toBe(value);
  });

  it('accepts what Go accepts and other parsers refuse', () => {
    expect(root('a: [\n1\n]').content[1]!.content[0]!.value).toBe('1');
    expect(root('a: "x\ny"').content[1]!.value).toBe('x y');
    expect(root('a: {\n}').content[1]!.kind).toBe('mapping');
  });
});

describe('comments', () => {
  it('stand above, behind and below', () => {
    const { content } = root('# head\na: 1 # line\n# foot\n\nb: 2\n');

    expect(content.map((n) => [n.headComment, n.lineComment, n.footComment])).toEqual([
      ['# head', '', '# foot'],
      ['', '# line', ''],
      ['', '', ''],
      ['', '', ''],
    ]);
  });

  it('belong to the document when an empty line follows', () => {
    const [document] = parseDocuments('# licence\n\n# head\na: 1\n\n# end\n');

    expect(document!.headComment).toBe('# licence');
    expect(document!.content[0]!.content[0]!.headComment).toBe('# head');
    expect(document!.footComment).toBe('# end');
  });

  it('keep a setter on its value', () => {
    const { content } = root('image: nginx:1.2 # {"$imagepolicy": "flux-system:podinfo"}\n');

    expect(content[1]!.lineComment).toBe('# {"$imagepolicy": "flux-system:podinfo"}');
  });

  it('go to the content below a lone dash', () => {
    const { content } = root('- # note\n  a: 1\n');

    expect(content[0]!.headComment + content[0]!.content[0]!.headComment).toBe('# note');
  });
});

describe('errors', () => {
  it.each([
    ['a: b: c', 'yaml: mapping values are not allowed in this context', 1, 5],
    ['a: 1\nb: c: d', 'yaml: line 2: mapping values are not allowed in this context', 2, 5],
    ['a:\n\t- b', 'yaml: line 2: found character that cannot start any token', 2, 1],
    ['a: [1, 2', "yaml: line 1: did not find expected ',' or ']'", 2, 1],
    ['a: 1\n b: 2', 'yaml: line 2: mapping values are not allowed in this context', 2, 3],
    ['- a\nb: 1', "yaml: line 1: did not find expected '-' indicator", 2, 1],
    ['a: "b', 'yaml: found unexpected end of stream', 1, 6],
    ['a: *x', "yaml: unknown anchor 'x' referenced", 1, 4],
    ['a: \u0001', 'yaml: control characters are not allowed', 1, 1],
    ['%YAML 1.2\n---\na', 'yaml: found incompatible YAML document', 1, 1],
    ['a: "\\z"', 'yaml: found unknown escape character', 1, 5],
    ['a: 1\nkey\nb: 1', "yaml: line 2: could not find expected ':'", 3, 1],
  ])('of %j', (text, message, line, column) => {
    const error = failure(text);

    expect(error.message).toBe(message);
    expect(error.code).toMatch(/^Yaml(?:Syntax|Reference)$/);
    expect(error.data).toEqual({ line, column });
  });
});
