// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../support/template-rows.ts';

describeTemplates('fields and methods', [
  ['{{.m.b.c}}', 'd'],
  ['{{.m.b.c.d}}', 'error: template: t:1:4: executing "t" at <.m.b.c.d>: can\'t evaluate field d in type interface {}'],
  ['{{.nope.x}}', 'error: template: t:1:7: executing "t" at <.nope.x>: nil pointer evaluating interface {}.x'],
  ['{{(.nope).x}}', '<no value>'],
  ['{{.s.x}}', 'error: template: t:1:4: executing "t" at <.s.x>: can\'t evaluate field x in type interface {}'],
  ['{{.m.z}}', '<no value>'],
  ['{{$.m.a}}', '1'],
  ['{{(.m.b).c}}', 'd'],
  ['{{.m.a 1}}', 'error: template: t:1:4: executing "t" at <.m.a>: a is not a method but has arguments'],
  ['{{1 | .m.a}}', 'error: template: t:1:8: executing "t" at <.m.a>: a is not a method but has arguments'],
  ['{{(semver "1.2.3").Minor}}', '2'],
  [
    '{{(semver "1.2.3").Nope}}',
    'error: template: t:1:10: executing "t" at <"1.2.3">: can\'t evaluate field Nope in type *semver.Version',
  ],
  ['{{(semver "1.2.3").Compare (semver "1.3.0")}}', '-1'],
  [
    '{{(semver "1.2.3").Minor 1}}',
    'error: template: t:1:10: executing "t" at <"1.2.3">: wrong number of args for Minor: want 0 got 1',
  ],
  ['{{(split "-" "a-b")._1}}', 'b'],
  ['{{(split "-" "a-b")._9}}|', '|'],
  [
    '{{range .l}}{{.x}}{{end}}',
    'error: template: t:1:14: executing "t" at <.x>: can\'t evaluate field x in type interface {}',
  ],
  [
    '{{range $v := .ls}}{{$v.x}}{{end}}',
    'error: template: t:1:23: executing "t" at <$v.x>: can\'t evaluate field x in type interface {}',
  ],
  [
    '{{range splitList "," "a"}}{{.x}}{{end}}',
    'error: template: t:1:29: executing "t" at <.x>: can\'t evaluate field x in type string',
  ],
]);

describeTemplates('arguments', [
  ['{{upper 1}}', 'error: template: t:1:8: executing "t" at <1>: expected string; found 1'],
  ['{{upper .i}}', 'error: template: t:1:8: executing "t" at <.i>: wrong type for value; expected string; got float64'],
  [
    '{{upper .n}}',
    'error: template: t:1:8: executing "t" at <.n>: wrong type for value; expected string; got interface {}',
  ],
  ['{{upper (.n)}}', 'error: template: t:1:9: executing "t" at <.n>: invalid value; expected string'],
  ['{{upper nil}}', 'error: template: t:1:8: executing "t" at <nil>: cannot assign nil to string'],
  ['{{.n | upper}}', 'error: template: t:1:7: executing "t" at <upper>: invalid value; expected string'],
  ['{{trunc "a" "b"}}', 'error: template: t:1:8: executing "t" at <"a">: expected integer; found "a"'],
  ['{{trunc 5.0 "abcdefg"}}', 'abcde'],
  ['{{trunc 1.5 "abc"}}', 'error: template: t:1:8: executing "t" at <1.5>: expected integer; found 1.5'],
  [
    '{{trunc .i "abc"}}',
    'error: template: t:1:8: executing "t" at <.i>: wrong type for value; expected int; got float64',
  ],
  ['{{ternary 1 2 3}}', 'error: template: t:1:14: executing "t" at <3>: expected bool; found 3'],
  ['{{get nil "a"}}|', '|'],
  [
    '{{get .s "a"}}',
    'error: template: t:1:6: executing "t" at <.s>: wrong type for value; expected map[string]interface {}; got string',
  ],
  [
    '{{set nil "a" 1}}',
    'error: template: t:1:2: executing "t" at <set nil "a" 1>: error calling set: assignment to entry in nil map',
  ],
  ['{{upper}}', 'error: template: t:1:2: executing "t" at <upper>: wrong number of args for upper: want 1 got 0'],
  [
    '{{upper "a" "b"}}',
    'error: template: t:1:2: executing "t" at <upper>: wrong number of args for upper: want 1 got 2',
  ],
  [
    '{{"a" | upper "b"}}',
    'error: template: t:1:8: executing "t" at <upper>: wrong number of args for upper: want 1 got 2',
  ],
  ['{{printf 1}}', 'error: template: t:1:9: executing "t" at <1>: expected string; found 1'],
  ['{{list nil .n (.n)}}', '[<nil> <nil> <nil>]'],
  ['{{"x" 1}}', 'error: template: t:1:2: executing "t" at <"x">: can\'t give argument to non-function "x"'],
  ['{{1 | "x"}}', 'error: template: t:1: non executable command in pipeline stage 2'],
  ['{{(.s) 1}}', 'error: template: t:1:2: executing "t" at <(.s) 1>: can\'t give argument to non-function .s'],
  ['{{nil}}', 'error: template: t:1:2: executing "t" at <nil>: nil is not a command'],
  ['{{.s | indent (int 2)}}', '  text'],
  [
    '{{.i | indent (int 2)}}',
    'error: template: t:1:19: executing "t" at <2>: wrong type for value; expected string; got float64',
  ],
  [
    '{{9223372036854775808}}',
    'error: template: t:1:2: executing "t" at <9223372036854775808>: 9223372036854775808 overflows int',
  ],
  ['{{add 9223372036854775807 1}}', '-9223372036854775808'],
]);

describeTemplates('and, or', [
  ['{{and 1 0 .nope.x}}', '0'],
  ['{{or 0 "a" .nope.x}}', 'a'],
  ['{{and .s .n}}', '<no value>'],
  ['{{or .e .n}}|', '<no value>|'],
  ['{{1 | and 2}}', '1'],
  ['{{0 | or 0}}', '0'],
  ['{{and}}', 'error: template: t:1:2: executing "t" at <and>: wrong number of args for and: want at least 1 got 0'],
  ['{{not 1 2}}', 'error: template: t:1:2: executing "t" at <not>: wrong number of args for not: want 1 got 2'],
]);
