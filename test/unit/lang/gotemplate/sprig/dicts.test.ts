// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('reading and writing', [
  ['{{dict "a" 1 2 "b" "odd"}}', 'map[2:b a:1 odd:]'],
  ['{{get .m "a"}}|{{get .m "zz"}}|{{hasKey .m "a"}}|{{hasKey .m "zz"}}', '1||true|false'],
  ['{{$d := dict}}{{$_ := set $d "a" 1}}{{$d}}{{$_ := unset $d "a"}}{{$d}}', 'map[a:1]map[]'],
  ['{{pick .m "a" "zz"}} {{omit .m "a"}} {{pluck "a" .m (dict "a" 2) (dict)}}', 'map[a:1] map[b:map[c:d]] [1 2]'],
  ['{{keys (dict "a" 1)}} {{values (dict "a" 1)}}', '[a] [1]'],
  ['{{dig "b" "c" "no" .m}} {{dig "b" "z" "no" .m}}', 'd no'],
  [
    '{{dig "a" "z" "no" .m}}',
    'error: template: t:1:2: executing "t" at <dig "a" "z" "no" .m>: error calling dig: interface conversion: interface {} is float64, not map[string]interface {}',
  ],
  [
    '{{dig "a" .m}}',
    'error: template: t:1:2: executing "t" at <dig "a" .m>: error calling dig: dig needs at least three arguments',
  ],
  [
    '{{dig 1 "no" .m}}',
    'error: template: t:1:2: executing "t" at <dig 1 "no" .m>: error calling dig: interface conversion: interface {} is int, not string',
  ],
  [
    '{{dig "a" "no" .s}}',
    'error: template: t:1:2: executing "t" at <dig "a" "no" .s>: error calling dig: interface conversion: interface {} is string, not map[string]interface {}',
  ],
]);

describeTemplates('merging', [
  [
    '{{merge (dict "a" 0 "b" "x" "c" (dict "d" "")) (dict "a" 5 "b" "y" "c" (dict "d" 1 "e" 2) "f" (list))}}',
    'map[a:5 b:x c:map[d:1 e:2] f:[]]',
  ],
  [
    '{{mergeOverwrite (dict "a" 1 "b" "x" "c" (dict "d" 1) "g" (list 1)) (dict "a" 0 "b" nil "c" (dict) "g" (list))}}',
    'map[a:0 b:<nil> c:map[d:1] g:[]]',
  ],
  [
    '{{merge (dict "a" "s") (dict "a" (dict "b" 1))}} {{mergeOverwrite (dict "a" "s") (dict "a" (dict "b" 1))}} {{mergeOverwrite (dict "a" (dict "b" 1)) (dict "a" "s")}}',
    'map[a:s] map[a:map[b:1]] map[a:s]',
  ],
  ['{{merge (dict "a" (list)) (dict "a" (list 1)) (dict "a" (list 2))}}', 'map[a:[1]]'],
  [
    '{{$a := dict "x" (dict "y" 1)}}{{$b := deepCopy $a}}{{$_ := set $b.x "y" 2}}{{$a}}{{$b}}',
    'map[x:map[y:1]]map[x:map[y:2]]',
  ],
  ['{{merge nil (dict "a" 1)}}', 'map[a:1]'],
  [
    '{{deepCopy nil}}',
    'error: template: t:1:2: executing "t" at <deepCopy nil>: error calling deepCopy: reflect: call of reflect.Value.Type on zero Value',
  ],
]);
