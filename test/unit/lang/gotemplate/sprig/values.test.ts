// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('defaults and choices', [
  ['{{default "d" ""}} {{default "d" 0}} {{default "d" 1}} {{default "d"}} {{.n | default "d"}}', 'd d 1 d d'],
  [
    '{{empty ""}} {{empty (dict)}} {{empty 0.0}} {{empty false}} {{empty "a"}} {{empty nil}} {{empty (semver "1.0.0")}}',
    'true true true true false true false',
  ],
  ['{{coalesce 0 "" nil "x" 1}} {{coalesce}}|', 'x <no value>|'],
  ['{{ternary "a" "b" true}} {{false | ternary "a" "b"}}', 'a b'],
  ['{{fail "stop"}}', 'error: template: t:1:2: executing "t" at <fail "stop">: error calling fail: stop'],
]);

describeTemplates('types', [
  [
    '{{kindOf .l}} {{kindOf .m}} {{kindOf 1}} {{kindOf nil}} {{kindOf "a"}} {{kindOf 1.5}} {{kindOf (semver "1.0.0")}}',
    'slice map int invalid string float64 ptr',
  ],
  [
    '{{typeOf .l}} {{typeOf .m}} {{typeOf nil}} {{typeOf (list)}} {{typeOf (until 1)}} {{typeOf (semver "1.0.0")}} {{typeOf (split "a" "b")}} {{typeOf (chunk 1 .l)}}',
    '[]interface {} map[string]interface {} <nil> []interface {} []int *semver.Version map[string]string [][]interface {}',
  ],
  ['{{kindIs "map" .m}} {{typeIs "string" .s}} {{typeIsLike "semver.Version" (semver "1.0.0")}}', 'true true true'],
  [
    '{{deepEqual (list 1 2) (list 1 2)}} {{deepEqual 1 1.0}} {{deepEqual .m .m}} {{deepEqual (list) nil}}',
    'true false true false',
  ],
]);
