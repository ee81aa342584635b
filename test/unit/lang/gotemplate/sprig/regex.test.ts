// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('functions', [
  ['{{regexMatch "a+" "caat"}} {{regexMatch "[" "x"}}', 'true false'],
  [
    '{{mustRegexMatch "[" "x"}}',
    'error: template: t:1:2: executing "t" at <mustRegexMatch "[" "x">: error calling mustRegexMatch: error parsing regexp: missing closing ]: `[`',
  ],
  ['{{regexFind "a(b)?" "xab"}} {{regexFindAll "a." "abacad" 2}} {{regexFindAll "z" "a" -1}}', 'ab [ab ac] []'],
  [
    '{{regexFind "[" "x"}}',
    'error: template: t:1:2: executing "t" at <regexFind "[" "x">: error calling regexFind: regexp: Compile(`[`): error parsing regexp: missing closing ]: `[`',
  ],
  [
    '{{regexFind "a`[" "x"}}',
    'error: template: t:1:2: executing "t" at <regexFind "a`[" "x">: error calling regexFind: regexp: Compile("a`["): error parsing regexp: missing closing ]: `[`',
  ],
  [
    '{{regexReplaceAll "a(.)" "abac" "${1}"}} {{regexReplaceAll "a(.)" "abac" "$1x"}} {{regexReplaceAllLiteral "a(.)" "abac" "$1"}}',
    'bc  $1$1',
  ],
  ['{{regexSplit "," "a,b,c" 2}} {{regexSplit "," "a,b" 0}} {{regexQuoteMeta "1.2"}}', '[a b,c] [] 1\\.2'],
  [
    '{{mustRegexReplaceAll "(" "a" "b"}}',
    'error: template: t:1:2: executing "t" at <mustRegexReplaceAll "(" "a" "b">: error calling mustRegexReplaceAll: error parsing regexp: missing closing ): `(`',
  ],
]);
