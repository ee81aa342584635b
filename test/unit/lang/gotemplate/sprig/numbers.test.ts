// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('integers', [
  [
    '{{int "0x1f"}} {{int "017"}} {{int "08"}} {{int "1.9"}} {{int "5.0"}} {{int -1.9}} {{int true}} {{int nil}} {{int "1_0"}}',
    '31 15 0 0 5 -1 1 0 10',
  ],
  ['{{add 1 2.9 "3"}} {{sub 1 2}} {{mul 2 3 4}} {{div 7 2}} {{mod -7 2}} {{add1 1}}', '6 -1 24 3 -1 2'],
  [
    '{{div 1 0}}',
    'error: template: t:1:2: executing "t" at <div 1 0>: error calling div: runtime error: integer divide by zero',
  ],
  [
    '{{mod 1 0}}',
    'error: template: t:1:2: executing "t" at <mod 1 0>: error calling mod: runtime error: integer divide by zero',
  ],
  ['{{max 1 5 3}} {{min 1 5 3}} {{biggest 2}} {{maxf 1 2.5}} {{minf 1 2.5}}', '5 1 2 2.5 1'],
  [
    '{{atoi "12"}} {{atoi "1x"}} {{atoi "99999999999999999999"}} {{toDecimal "755"}} {{toDecimal 8}} {{int64 1e30}}',
    '12 0 9223372036854775807 493 0 -9223372036854775808',
  ],
  [
    '{{until 3}} {{until -2}} {{untilStep 0 10 3}} {{untilStep 5 0 -2}} {{untilStep 0 5 0}} {{until 0}}',
    '[0 1 2] [0 -1] [0 3 6 9] [5 3 1] [] []',
  ],
  [
    '{{seq 3}}|{{seq -1}}|{{seq 2 4}}|{{seq 4 2}}|{{seq 1 2 6}}|{{seq 6 2 1}}|{{seq 6 -2 1}}|{{seq}}|{{seq 1 2 3 4}}',
    '1 2 3|1 0 -1|2 3 4|4 3 2|1 3 5||6 4 2||',
  ],
]);

describeTemplates('decimals', [
  [
    '{{addf 0.1 0.2}} {{subf 1 0.9}} {{mulf 1.1 3}} {{divf 1 3}} {{divf 2 3}} {{divf -2 3}} {{add1f 0.5}}',
    '0.3 0.1 3.3 0.3333333333333333 0.6666666666666667 -0.6666666666666667 1.5',
  ],
  ['{{divf 1 0}}', 'error: template: t:1:2: executing "t" at <divf 1 0>: error calling divf: decimal division by 0'],
  [
    '{{floor -1.5}} {{ceil -1.5}} {{floor "2.7"}} {{round 2.345 2}} {{round -1.5 0}} {{round 2.5 0 0.6}} {{round 123.5 -1}}',
    '-2 -1 2 2.35 -2 2 120',
  ],
  ['{{float64 "1e3"}} {{float64 "x"}} {{float64 true}}', '1000 0 1'],
]);
