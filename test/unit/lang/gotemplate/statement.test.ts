// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../support/template-rows.ts';

describeTemplates('if, with and else', [
  ['{{if .s}}a{{else}}b{{end}}', 'a'],
  ['{{if .e}}a{{else if .i}}b{{else}}c{{end}}', 'b'],
  ['{{with .m.b}}{{.c}}{{else}}none{{end}}', 'd'],
  ['{{with .e}}x{{else with .s}}{{.}}{{end}}', 'text'],
  ['{{with $v := .s}}{{$v}}{{end}}', 'text'],
  ['{{if not .n}}nil{{end}}', 'nil'],
]);

describeTemplates('range', [
  ['{{range .l}}[{{.}}]{{end}}', '[1][b][<no value>][true]'],
  ['{{range $i, $v := .ls}}{{$i}}={{$v}} {{end}}', '0=b 1=a '],
  ['{{range $k, $v := .m}}{{$k}}:{{$v}} {{end}}', 'a:1 b:map[c:d] '],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{range $i := 2}}{{$i}}{{end}}', '01'],
  ['{{range .n}}x{{else}}none{{end}}', 'none'],
  ['{{range .e}}x{{else}}none{{end}}', 'error: template: t:1:8: executing "t" at <.e>: range can\'t iterate over '],
  ['{{range .i}}x{{end}}', 'error: template: t:1:8: executing "t" at <.i>: range can\'t iterate over 3'],
  [
    '{{range $i, $v := 3}}x{{end}}',
    'error: template: t:1:18: executing "t" at <3>: can\'t use 3 to iterate over more than one variable',
  ],
  ['{{range .l}}{{if not .}}{{break}}{{end}}{{.}}{{end}}', '1b'],
  ['{{range .l}}{{if kindIs "string" .}}{{continue}}{{end}}{{.}},{{end}}', '1,<no value>,true,'],
  ['{{$x := 0}}{{range .ls}}{{$x = .}}{{end}}{{$x}}', 'a'],
  ['{{range $i, $v := .nope}}x{{else}}{{$i}}|{{$v}}{{end}}', '<no value>|<no value>'],
  ['{{range until 2}}{{range until 2}}{{break}}{{end}}{{.}}{{end}}', '01'],
  ['{{range splitList "," "a,b"}}{{.}};{{end}}', 'a;b;'],
  ['{{range $i, $v = .l}}x{{end}}', 'error: template: t:1:17: executing "t" at <.l>: undefined variable: $i'],
]);

describeTemplates('variables', [
  ['{{$x := 1}}{{$x}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}', '121'],
  ['{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
  ['{{$x := 0}}{{if false}}{{$x := 1}}{{else}}{{$x}}{{end}}', '0'],
  ['{{with .m}}{{$.s}}{{end}}', 'text'],
  ['{{$ = 5}}{{$}}', '5'],
  ['{{ $x = 1 }}', 'error: template: t:1:8: executing "t" at <1>: undefined variable: $x'],
  ['{{if true}}{{$y := 1}}{{end}}{{$y}}', 'error: template: t:1: undefined variable "$y"'],
  [
    '{{$x := .m}}{{$x.b.c}}{{$x.a.z}}',
    'error: template: t:1:26: executing "t" at <$x.a.z>: can\'t evaluate field z in type interface {}',
  ],
  [
    '{{if false}}{{$y := 1}}{{else}}{{$y}}{{end}}',
    'error: template: t:1:33: executing "t" at <$y>: undefined variable: $y',
  ],
]);

describeTemplates('define, template and block', [
  ['{{define "a"}}<{{.}}>{{end}}{{template "a" .s}}{{template "a"}}', '<text><<no value>>'],
  ['{{block "b" .s}}[{{.}}]{{end}}', '[text]'],
  [
    '{{template "none"}}',
    'error: template: t:1:11: executing "t" at <{{template "none"}}>: template "none" not defined',
  ],
  ['{{define "a"}}{{$x}}{{end}}', 'error: template: t:1: undefined variable "$x"'],
  [
    '{{define "a"}}{{.x.y}}{{end}}{{include "a" .}}',
    'error: template: t:1:31: executing "t" at <include "a" .>: error calling include: template: t:1:18: executing "a" at <.x.y>: can\'t evaluate field y in type interface {}',
  ],
  [
    '{{define "a"}}1{{end}}{{define "a"}}2{{end}}',
    'error: template: t:1: template: multiple definition of template "a"',
  ],
  ['{{define "a"}} {{end}}{{define "a"}}2{{end}}{{template "a"}}', '2'],
  [
    '{{include "none" .}}',
    'error: template: t:1:2: executing "t" at <include "none" .>: error calling include: template: no template "none" associated with template "gotpl"',
  ],
]);

describeTemplates('printing', [
  [
    '{{.n}}|{{.nope}}|{{.m}}|{{.l}}|{{.x}}|{{.t}}',
    '<no value>|<no value>|map[a:1 b:map[c:d]]|[1 b <nil> true]|-2.5|true',
  ],
  ['{{1000000.0}} {{1e6}} {{1e-5}} {{123456789}} {{-0.0}}', '1e+06 1e+06 1e-05 123456789 -0'],
  [
    '{{printf}}',
    'error: template: t:1:2: executing "t" at <printf>: wrong number of args for printf: want at least 1 got 0',
  ],
  ["{{'a'}} {{0x1F}} {{1_000}} {{1i}} {{1+2i}}", '97 31 1000 (0+1i) (1+2i)'],
  ['{{semver "1.2"}}', '1.2.0'],
]);
