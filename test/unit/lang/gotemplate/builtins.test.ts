// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../support/template-rows.ts';

describeTemplates('comparison', [
  ['{{eq 1 1}} {{eq 1 2 1}} {{ne 1 2}}', 'true true true'],
  [
    '{{eq 1 1.0}}',
    'error: template: t:1:2: executing "t" at <eq 1 1.0>: error calling eq: incompatible types for comparison: int and float64',
  ],
  [
    '{{eq .i 3}}',
    'error: template: t:1:2: executing "t" at <eq .i 3>: error calling eq: incompatible types for comparison: float64 and int',
  ],
  ['{{eq .i 3.0}}', 'true'],
  ['{{eq "a" "a"}} {{lt "a" "b"}} {{ge 2 2}}', 'true true true'],
  ['{{eq .n nil}} {{eq .n 1}} {{eq .nope .n}}', 'true false true'],
  ['{{lt .n 1}}', 'error: template: t:1:2: executing "t" at <lt .n 1>: error calling lt: invalid type for comparison'],
  [
    '{{lt true false}}',
    'error: template: t:1:2: executing "t" at <lt true false>: error calling lt: invalid type for comparison',
  ],
  [
    '{{eq .l .l}}',
    'error: template: t:1:2: executing "t" at <eq .l .l>: error calling eq: non-comparable type [%!s(float64=1) b <nil> %!s(bool=true)]: []interface {}',
  ],
  [
    '{{eq .m .m}}',
    'error: template: t:1:2: executing "t" at <eq .m .m>: error calling eq: non-comparable type map[a:%!s(float64=1) b:map[c:d]]: map[string]interface {}',
  ],
  ['{{eq 1}}', 'error: template: t:1:2: executing "t" at <eq 1>: error calling eq: missing argument for comparison'],
  ['{{eq}}', 'error: template: t:1:2: executing "t" at <eq>: wrong number of args for eq: want at least 1 got 0'],
  ['{{gt (int64 3) 2}}', 'true'],
  ['{{eq (list) nil}}', 'false'],
  [
    '{{eq "a" 1}}',
    'error: template: t:1:2: executing "t" at <eq "a" 1>: error calling eq: incompatible types for comparison: string and int',
  ],
  [
    '{{lt 1 "a"}}',
    'error: template: t:1:2: executing "t" at <lt 1 "a">: error calling lt: incompatible types for comparison: int and string',
  ],
  ['{{le 1.5 1.5}} {{gt -1 1}}', 'true false'],
  ['{{eq (semver "1.0.0") (semver "1.0.0")}}', 'false'],
]);

describeTemplates('index, len, slice', [
  ['{{index .l 1}} {{index .m "b" "c"}} {{index .l}}', 'b d [1 b <nil> true]'],
  [
    '{{index .l 9}}',
    'error: template: t:1:2: executing "t" at <index .l 9>: error calling index: index out of range: 9',
  ],
  [
    '{{index .l -1}}',
    'error: template: t:1:2: executing "t" at <index .l -1>: error calling index: index out of range: -1',
  ],
  [
    '{{index .l "a"}}',
    'error: template: t:1:2: executing "t" at <index .l "a">: error calling index: cannot index slice/array with type string',
  ],
  [
    '{{index .m 1}}',
    'error: template: t:1:2: executing "t" at <index .m 1>: error calling index: value has type int; should be string',
  ],
  ['{{index .m "zz"}}|', '<no value>|'],
  [
    '{{index .n 1}}',
    'error: template: t:1:2: executing "t" at <index .n 1>: error calling index: index of untyped nil',
  ],
  [
    '{{index nil 1}}',
    'error: template: t:1:2: executing "t" at <index nil 1>: error calling index: index of untyped nil',
  ],
  ['{{index "abc" 1}}', '98'],
  [
    '{{index .i 1}}',
    'error: template: t:1:2: executing "t" at <index .i 1>: error calling index: can\'t index item of type float64',
  ],
  ['{{len .l}} {{len .m}} {{len "é"}} {{len (list)}}', '4 2 2 0'],
  ['{{len .i}}', 'error: template: t:1:2: executing "t" at <len .i>: error calling len: len of type float64'],
  ['{{len .n}}', 'error: template: t:1:2: executing "t" at <len .n>: error calling len: len of nil pointer'],
  [
    '{{len nil}}',
    'error: template: t:1:2: executing "t" at <len nil>: error calling len: reflect: call of reflect.Value.Type on zero Value',
  ],
  [
    '{{call .s}}',
    'error: template: t:1:2: executing "t" at <call .s>: error calling call: non-function .s of type string',
  ],
  ['{{call nil}}', 'error: template: t:1:2: executing "t" at <call nil>: error calling call: call of nil'],
]);

describeTemplates('print and escape', [
  ['{{print 1 2 "a" 3 4 nil}}', '1 2a3 4 <nil>'],
  ['{{println "a" 1}}', 'a 1\n'],
  ['{{print "a" "b" 1 2 true}}', 'ab1 2 true'],
  ['{{html "<a href=\\"x\\">&\'"}}', '&lt;a href=&#34;x&#34;&gt;&amp;&#39;'],
  ['{{html .n}}', '&lt;no value&gt;'],
  ['{{js "\'\\"<>&=\\n\\\\é"}}', '\\\'\\"\\u003C\\u003E\\u0026\\u003D\\u000A\\\\é'],
  ['{{urlquery "a b&c/é" "~"}}', 'a+b%26c%2F%C3%A9~'],
  ['{{html 1 2}}', '1 2'],
]);
