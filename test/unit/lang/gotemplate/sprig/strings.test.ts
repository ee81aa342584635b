// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('white space and cutting', [
  [
    '{{trim " a\\t\\n"}}|{{trimAll "$" "$5$"}}|{{trimSuffix "-" "a-"}}|{{trimPrefix "a" "ab"}}|{{trimSuffix "" "a"}}',
    'a|5|a|b|a',
  ],
  ['{{nospace " a b "}}|{{initials "First Try"}}', 'ab|FT'],
  ['{{substr 1 3 "hello"}} {{substr -1 2 "hello"}} {{substr 1 -1 "hello"}} {{substr 1 99 "hello"}}', 'el he ello ello'],
  [
    '{{substr 9 3 "hello"}}',
    'error: template: t:1:2: executing "t" at <substr 9 3 "hello">: error calling substr: runtime error: slice bounds out of range [9:3]',
  ],
  [
    '{{substr 9 -1 "hello"}}',
    'error: template: t:1:2: executing "t" at <substr 9 -1 "hello">: error calling substr: runtime error: slice bounds out of range [9:5]',
  ],
  ['{{trunc 3 "hello"}} {{trunc -3 "hello"}} {{trunc 9 "a"}} {{trunc -9 "a"}}', 'hel llo a a'],
  [
    '{{abbrev 5 "hello world"}} {{abbrev 3 "hello"}} {{abbrevboth 5 10 "1234 5678 9123"}} {{abbrevboth 1 2 "abc"}}',
    'he... hello ...5678... abc',
  ],
]);

describeTemplates('padding and wrapping', [
  ['{{repeat 3 "ab"}}', 'ababab'],
  [
    '{{repeat -1 "a"}}',
    'error: template: t:1:2: executing "t" at <repeat -1 "a">: error calling repeat: strings: negative Repeat count',
  ],
  ['{{indent 2 "a\\nb\\n"}}|{{nindent 2 "a"}}', '  a\n  b\n  |\n  a'],
  [
    '{{indent -1 "a"}}',
    'error: template: t:1:2: executing "t" at <indent -1 "a">: error calling indent: strings: negative Repeat count',
  ],
  ['{{wrap 5 "aaa bbb ccc ddddddddd e"}}', 'aaa\nbbb\nccc\nddddddddd\ne'],
  ['{{wrapWith 5 "|" "aaa bbbbbbbbb c"}}', 'aaa|bbbbb|bbbb|c'],
]);

describeTemplates('case', [
  [
    '{{upper "aßé"}} {{lower "ÀB"}} {{title "foo-bar it\'s x_y"}} {{untitle "Hello World"}} {{swapcase "Ab cD"}}',
    "AßÉ àb Foo-Bar It'S X_y hello world aB Cd",
  ],
]);

describeTemplates('joining and splitting', [
  ['{{join "-" .l}} {{join "," "x"}} {{join "," nil}}|', '1-b-true x |'],
  ['{{sortAlpha .l}} {{sortAlpha 3}}', '[1 b true] [3]'],
  ['{{splitList "," "a,b,,"}} {{splitList "" "aé"}}', '[a b  ] [a é]'],
  ['{{split "," "a,b"}} {{splitn "," 2 "a,b,c"}} {{splitn "," 0 "a"}}', 'map[_0:a _1:b] map[_0:a _1:b,c] map[]'],
  ['{{toStrings .l}} {{toString 1.5}} {{toString nil}}', '[1 b true] 1.5 <nil>'],
  ['{{cat 1 nil "b" 2.5}}', '1 b 2.5'],
  ['{{quote "a" nil 1 "é\\n"}} {{squote "a" nil 1}}', '"a" "1" "é\\n" \'a\' \'1\''],
  ['{{replace "a" "b" "banana"}} {{replace "" "-" "ab"}}', 'bbnbnb -a-b-'],
  [
    '{{contains "a" "ba"}} {{hasPrefix "b" "ba"}} {{hasSuffix "b" "ba"}} {{plural "one" "many" 1}} {{plural "one" "many" 2}}',
    'true true false one many',
  ],
]);
