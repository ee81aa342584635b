// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../support/render-template.ts';

const DATA = {
  s: 'text',
  n: null,
  i: 3,
  x: -2.5,
  l: [1, 'b', null, true],
  ls: ['b', 'a'],
  m: { a: 1, b: { c: 'd' } },
  e: '',
  t: true,
};

describe('what does not parse', () => {
  it.each([
    ['{{', 'error: template: t:1: unclosed action'],
    ['{{}}', 'error: template: t:1: missing value for command'],
    ['{{if}}', 'error: template: t:1: missing value for if'],
    ['{{end}}', 'error: template: t:1: unexpected {{end}}'],
    ['{{else}}', 'error: template: t:1: unexpected {{else}}'],
    ['{{if .s}}', 'error: template: t:1: unexpected EOF'],
    ['{{range .l}}{{else}}{{else}}{{end}}', 'error: template: t:1: expected end; found {{else}}'],
    ['{{.s | 3}}', 'error: template: t:1: non executable command in pipeline stage 2'],
    ['{{.s | "x" | nil}}', 'error: template: t:1: non executable command in pipeline stage 2'],
    ['{{nofunc 1}}', 'error: template: t:1: function "nofunc" not defined'],
    ['{{template .s}}', 'error: template: t:1: unexpected ".s" in template clause'],
    ['{{define x}}{{end}}', 'error: template: t:1: unexpected "x" in define clause'],
    ['{{if .s}}{{define "a"}}{{end}}{{end}}', 'error: template: t:1: unexpected <define> in command'],
    ['{{break}}', 'error: template: t:1: {{break}} outside {{range}}'],
    ['{{range .l}}{{break 1}}{{end}}', 'error: template: t:1: unexpected "1" in {{break}}'],
    ['{{$x}}', 'error: template: t:1: undefined variable "$x"'],
    ['{{$a, $b := .l}}', 'error: template: t:1: too many declarations in command'],
    ['{{range $a, $b, $c := .l}}{{end}}', 'error: template: t:1: too many declarations in range'],
    ['{{range $a, 3 := .l}}{{end}}', 'error: template: t:1: range can only initialize variables'],
    ['{{.s.}}', 'error: template: t:1: unexpected <.> in operand'],
    ['{{1.5.x}}', 'error: template: t:1: unexpected . after term "1.5"'],
    ['{{"a".b}}', 'error: template: t:1: unexpected . after term "\\"a\\""'],
    ['{{nil.x}}', 'error: template: t:1: unexpected . after term "nil"'],
    ['{{(.s}}', 'error: template: t:1: unclosed left paren'],
    ['{{.s)}}', 'error: template: t:1: unexpected right paren'],
    ['{{| quote}}', 'error: template: t:1: unexpected "|" in command'],
    ['{{.s ||quote}}', 'error: template: t:1: unexpected "|" in command'],
    ['{{089}}', 'error: template: t:1: integer overflow: "089"'],
    ['{{1e400}}', 'error: template: t:1: illegal number syntax: "1e400"'],
    ['{{"\\z"}}', 'error: template: t:1: invalid syntax'],
    ["{{'ab'}}", "error: template: t:1: malformed character constant: 'ab'"],
    ["{{''}}", 'error: template: t:1: invalid syntax'],
    ['{{.s}', "error: template: t:1: bad character U+007D '}'"],
    ['{{/* a', 'error: template: t:1: unclosed comment'],
    ['a\nb\n{{ .s', 'error: template: t:3: unclosed action'],
    ['a\n{{if\n.s', 'error: template: t:3: unclosed action started at t:2'],
    ['{{"a\nb"}}', 'error: template: t:1: unterminated quoted string'],
    ['{{block "x"}}{{end}}', 'error: template: t:1: missing value for block clause'],
    ['{{()}}', 'error: template: t:1: missing value for parenthesized pipeline'],
    ['{{range $x := }}{{end}}', 'error: template: t:1: missing value for range'],
    ['{{if .s}}a{{else if}}{{end}}', 'error: template: t:1: missing value for if'],
    ['{{@}}', 'error: template: t:1: unexpected "@" in command'],
    ['{{.a,b}}', 'error: template: t:1: unexpected "," in operand'],
  ])('%s', (template, expected) => {
    expect(renderTemplate(template, DATA)).toBe(expected);
  });
});

describe('what does', () => {
  it.each([
    ['{{- /* c */ -}} x', 'x'],
    ['{{ .s | }}', 'text'],
    ['{{(.m).b.c}}', 'd'],
    ['{{(index .l 1)}}', 'b'],
    ['{{$x := (printf "%d" 3) | upper}}{{$x}}', '3'],
    ['{{if (and .s (or .e .i))}}y{{end}}', 'y'],
    ['a {{- " b " -}} c', 'a b c'],
    ['{{.s\n|\nupper}}', 'TEXT'],
    ['{{"a\\tb\\u00e9\\x41\\101"}}{{`r\\n`}}', 'a\tbéAAr\\n'],
    ['}} { {', '}} { {'],
  ])('%s', (template, expected) => {
    expect(renderTemplate(template, DATA)).toBe(expected);
  });
});
