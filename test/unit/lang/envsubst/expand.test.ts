// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts under test are substitutions
import { describe, expect, it } from 'vitest';
import { expand } from '../../../../src/lang/envsubst/expand.ts';

const values = new Map([
  ['a', 'hello'],
  ['e', ''],
  ['p', 'x/y/z'],
  ['n', 'héllo wörld'],
  ['dot', 'a.b.c'],
]);

function loose(text: string): string {
  return Buffer.from(expand(text, values, { strict: false })).toString('utf8');
}

function strict(text: string): string {
  return Buffer.from(expand(text, values, { strict: true })).toString('utf8');
}

describe('expand', () => {
  it.each([
    ['${a} ${u}', 'hello '],
    ['$a $(a) {{a}} }', '$a $(a) {{a}} }'],
    ['$$ $${a} $$$$', '$ ${a} $$'],
    ['${u:-x}${u:=x}${u=x}${e=x}${e:-x}', 'xxxxx'],
    ['${a:-x}${a:=x}${a=x}', 'hellohellohello'],
    ['${u:?msg} ${u:+alt} ${a:+alt}', 'msg alt hello'],
    ['${u:=${a}} ${u=pre${a}-suf}', 'hello prehello-suf'],
    ['${#n}', '13'],
    ['${a^} ${a^^} ${a,} ${a,,}', 'Hello HELLO hello hello'],
    ['${n^^}', 'HÉLLO WÖRLD'],
    ['${a:1:2}|${a:9}|${n:1:2}', 'el||é'],
    ['${a: -2}|${a:-2}|${a:0:-1}|${a:1:-9}', 'hello|hello|hell|'],
    ['${p#*/} ${p##*/} ${p%/*} ${p%%/*}', 'y/z z x/y x'],
    ['${dot#?.} ${dot%.?} ${dot##[a-b].}', 'b.c a.b b.c'],
    // The pattern is turned round with its brackets, which breaks the class.
    ['${dot%[bc]}', 'a.b.c'],
    ['${p/x/} ${p//\\//-} ${p/#x/A} ${p/%z/B}', '/y/z x-y-z A/y/z x/y/B'],
    ['${p//y/} ${a//${e}/.}', 'x//z .h.e.l.l.o.'],
    ['${u:=a}b}', 'ab}'],
    ['${u:=$${a}}', '$hello'],
    ['a\0b', 'a'],
  ])('%s gives %s', (text, result) => {
    expect(loose(text)).toBe(result);
  });

  it.each([
    ['${a-x}', 'missing closing brace'],
    ['${a.b}', 'missing closing brace'],
    ['${a b}', 'missing closing brace'],
    ['${a', 'missing closing brace'],
    ['${ a }', 'unable to parse variable name'],
    ['${}', 'unable to parse variable name'],
    ['${#}', 'bad substitution'],
    ['${a:', 'bad substitution'],
    ['${a:}', 'unable to parse substitution within function'],
    ['${a/x}', 'bad substitution'],
    ['${a:-x', 'unable to parse substitution within function'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => loose(text)).toThrow(message);
  });

  it('refuses a variable that is not set in strict mode, unless a default stands by', () => {
    expect(() => strict('${u}')).toThrow('variable not set (strict mode): "u"');
    expect(() => strict('${#u}')).toThrow('variable not set (strict mode): "u"');
    expect(strict('${u:-x}${u:+y}${e}')).toBe('xy');
  });

  it('reads names such as constructor as any other', () => {
    expect(() => strict('${constructor}')).toThrow('variable not set (strict mode): "constructor"');
    expect(loose('${__proto__:-x}')).toBe('x');
  });

  it('cuts letters in two where the offset does', () => {
    expect(Buffer.from(expand('${n:2:1}', values, { strict: true })).toString('hex')).toBe('a9');
  });

  it('bounds nesting, output and pattern work', () => {
    const big = new Map([['b', 'x'.repeat(1_000_000)]]);
    const run = (text: string): unknown => expand(text, big, { strict: true });

    expect(() => run('${b:='.repeat(100_000))).toThrow('nested more than 500 deep');
    expect(() => run('${b}'.repeat(100))).toThrow('more than 64 MiB');
    expect(() => run(`\${b//x/${'y'.repeat(1000)}}`)).toThrow('more than 64 MiB');
    expect(() => run('${b#*[y]*[z]}')).toThrow('too many steps');
    expect(run('${b##*x*x*x*y}')).toHaveLength(1_000_000);
  });

  it('takes a hundred thousand expansions without running out of stack', () => {
    expect(loose('${a}'.repeat(100_000))).toHaveLength(500_000);
  });
});
