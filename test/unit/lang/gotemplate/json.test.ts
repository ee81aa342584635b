// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../support/template-rows.ts';

describeTemplates('writing', [
  [
    '{{toJson .}}',
    '{"e":"","i":3,"l":[1,"b",null,true],"ls":["b","a"],"m":{"a":1,"b":{"c":"d"}},"n":null,"s":"text","t":true,"x":-2.5}',
  ],
  ['{{toPrettyJson .m}}', '{\n  "a": 1,\n  "b": {\n    "c": "d"\n  }\n}'],
  ['{{toRawJson "<&>"}}{{toJson "<&>"}}', '"<&>""\\u003c\\u0026\\u003e"'],
  ['{{toJson "a\\"b\\\\\\n\\t\\u0001\\u2028é"}}', '"a\\"b\\\\\\n\\t\\u0001\\u2028é"'],
  ['{{toJson (list 1 1.5 1e21 1e-7 -0.0 (int64 5))}}', '[1,1.5,1e+21,1e-7,-0,5]'],
  ['{{toPrettyJson (list)}}{{toPrettyJson (dict)}}{{toJson (regexFindAll "z" "a" 1)}}', '[]{}null'],
  ['{{toJson (dict "10" 1 "9" 2 "a" 3)}}', '{"10":1,"9":2,"a":3}'],
]);

describeTemplates('reading', [
  ['{{fromJson "{\\"a\\":[1,null,true]}"}}', 'map[a:[1 <nil> true]]'],
  [
    '{{mustFromJson "{"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "{">: error calling mustFromJson: unexpected end of JSON input',
  ],
  [
    '{{mustFromJson "{\\"a\\" 1}"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "{\\"a\\" 1}">: error calling mustFromJson: invalid character \'1\' after object key',
  ],
  [
    '{{mustFromJson "[1,]"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "[1,]">: error calling mustFromJson: invalid character \']\' looking for beginning of value',
  ],
  [
    '{{mustFromJson "01"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "01">: error calling mustFromJson: invalid character \'1\' after top-level value',
  ],
  [
    '{{mustFromJson "tru"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "tru">: error calling mustFromJson: invalid character \' \' in literal true (expecting \'e\')',
  ],
  [
    '{{mustFromJson "\\"a\\nb\\""}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "\\"a\\nb\\"">: error calling mustFromJson: invalid character \'\\n\' in string literal',
  ],
  [
    '{{mustFromJson "1 2"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "1 2">: error calling mustFromJson: invalid character \'2\' after top-level value',
  ],
  [
    '{{mustFromJson ""}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "">: error calling mustFromJson: unexpected end of JSON input',
  ],
  [
    '{{mustFromJson "{\\"a\\":1,}"}}',
    'error: template: t:1:2: executing "t" at <mustFromJson "{\\"a\\":1,}">: error calling mustFromJson: invalid character \'}\' looking for beginning of object key string',
  ],
  ['{{fromJson "bad"}}', '<no value>'],
]);
