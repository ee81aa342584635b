// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('taking apart', [
  ['{{first .l}} {{last .l}} {{rest .ls}} {{initial .ls}}', '1 true [a] [b]'],
  ['{{first (list)}}|{{last (list)}}|{{rest (list)}}|{{initial (list)}}', '<no value>|<no value>|[]|[]'],
  [
    '{{first "abc"}}',
    'error: template: t:1:2: executing "t" at <first "abc">: error calling first: Cannot find first on type string',
  ],
  [
    '{{rest nil}}',
    'error: template: t:1:2: executing "t" at <rest nil>: error calling rest: runtime error: invalid memory address or nil pointer dereference',
  ],
  ['{{slice .ls 1}} {{slice .ls 0 1}} {{slice .ls}} {{slice (list) 3}}', '[a] [b] [b a] <no value>'],
  [
    '{{slice .ls 3 1}}',
    'error: template: t:1:2: executing "t" at <slice .ls 3 1>: error calling slice: reflect.Value.Slice: slice index out of bounds',
  ],
  [
    '{{slice "abc" 1}}',
    'error: template: t:1:2: executing "t" at <slice "abc" 1>: error calling slice: list should be type of slice or array but string',
  ],
  ['{{chunk 2 (list 1 2 3)}} {{chunk 5 (list 1)}}', '[[1 2] [3]] [[1]]'],
  [
    '{{chunk 0 (list 1)}}',
    'error: template: t:1:2: executing "t" at <chunk 0 (list 1)>: error calling chunk: runtime error: makeslice: len out of range',
  ],
  ['{{chunk -1 (list 1 2)}}', '[]'],
  [
    '{{chunk 2 "ab"}}',
    'error: template: t:1:2: executing "t" at <chunk 2 "ab">: error calling chunk: Cannot chunk type string',
  ],
]);

describeTemplates('building', [
  [
    '{{list 1 "a" nil}} {{append .ls 1}} {{prepend .ls 1}} {{concat .ls (list 1)}} {{reverse .ls}}',
    '[1 a <nil>] [b a 1] [1 b a] [b a 1] [a b]',
  ],
  [
    '{{append "x" 1}}',
    'error: template: t:1:2: executing "t" at <append "x" 1>: error calling append: Cannot push on type string',
  ],
  [
    '{{concat "a"}}',
    'error: template: t:1:2: executing "t" at <concat "a">: error calling concat: Cannot concat type string as list',
  ],
  [
    '{{concat nil}}',
    'error: template: t:1:2: executing "t" at <concat nil>: error calling concat: runtime error: invalid memory address or nil pointer dereference',
  ],
  [
    '{{uniq (list 1 1.0 "1" 1 (list 1) (list 1))}} {{compact (list 0 1 "" nil "a")}} {{without (list 1 2 3) 2 3.0}}',
    '[1 1 1 [1]] [1 a] [1 3]',
  ],
  ['{{has 1 (list 1.0 1)}} {{has "z" .ls}} {{has 1 nil}}', 'true false false'],
  [
    '{{has 1 "a"}}',
    'error: template: t:1:2: executing "t" at <has 1 "a">: error calling has: Cannot find has on type string',
  ],
  ['{{all 1 "a"}} {{all 1 0}} {{any 0 1}} {{any}}', 'true false true false'],
  [
    '{{mustFirst 1}}',
    'error: template: t:1:2: executing "t" at <mustFirst 1>: error calling mustFirst: Cannot find first on type int',
  ],
]);
