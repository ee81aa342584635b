// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('paths', [
  [
    '{{base "/a/b.txt"}}|{{dir "/a/b.txt"}}|{{clean "/a/b.txt"}}|{{ext "/a/b.txt"}}|{{isAbs "/a/b.txt"}}|{{osBase "/a/b.txt"}}',
    'b.txt|/a|/a/b.txt|.txt|true|b.txt',
  ],
  [
    '{{base "a//b/../c/"}}|{{dir "a//b/../c/"}}|{{clean "a//b/../c/"}}|{{ext "a//b/../c/"}}|{{isAbs "a//b/../c/"}}|{{osBase "a//b/../c/"}}',
    'c|a/c|a/c||false|c',
  ],
  ['{{base ""}}|{{dir ""}}|{{clean ""}}|{{ext ""}}|{{isAbs ""}}|{{osBase ""}}', '.|.|.||false|.'],
  ['{{base "/"}}|{{dir "/"}}|{{clean "/"}}|{{ext "/"}}|{{isAbs "/"}}|{{osBase "/"}}', '/|/|/||true|/'],
  ['{{base ".."}}|{{dir ".."}}|{{clean ".."}}|{{ext ".."}}|{{isAbs ".."}}|{{osBase ".."}}', '..|.|..|.|false|..'],
  [
    '{{base "../../x"}}|{{dir "../../x"}}|{{clean "../../x"}}|{{ext "../../x"}}|{{isAbs "../../x"}}|{{osBase "../../x"}}',
    'x|../..|../../x||false|x',
  ],
  [
    '{{base "/../a"}}|{{dir "/../a"}}|{{clean "/../a"}}|{{ext "/../a"}}|{{isAbs "/../a"}}|{{osBase "/../a"}}',
    'a|/|/a||true|a',
  ],
  [
    '{{base "a/./b"}}|{{dir "a/./b"}}|{{clean "a/./b"}}|{{ext "a/./b"}}|{{isAbs "a/./b"}}|{{osBase "a/./b"}}',
    'b|a|a/b||false|b',
  ],
  [
    '{{base ".tar.gz"}}|{{dir ".tar.gz"}}|{{clean ".tar.gz"}}|{{ext ".tar.gz"}}|{{isAbs ".tar.gz"}}|{{osBase ".tar.gz"}}',
    '.tar.gz|.|.tar.gz|.gz|false|.tar.gz',
  ],
  ['{{base "a/"}}|{{dir "a/"}}|{{clean "a/"}}|{{ext "a/"}}|{{isAbs "a/"}}|{{osBase "a/"}}', 'a|a|a||false|a'],
]);
