// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('parsing', [
  [
    '{{toJson (urlParse "http://u:p@host:80/p%20q?x=1#f")}}',
    '{"fragment":"f","host":"host:80","hostname":"host","opaque":"","path":"/p q","query":"x=1","scheme":"http","userinfo":"u:p"}',
  ],
  [
    '{{toJson (urlParse "mailto:a@b")}}',
    '{"fragment":"","host":"","hostname":"","opaque":"a@b","path":"","query":"","scheme":"mailto","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "//h/p")}}',
    '{"fragment":"","host":"h","hostname":"h","opaque":"","path":"/p","query":"","scheme":"","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "/only/path")}}',
    '{"fragment":"","host":"","hostname":"","opaque":"","path":"/only/path","query":"","scheme":"","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "http://[::1]:80/")}}',
    '{"fragment":"","host":"[::1]:80","hostname":"::1","opaque":"","path":"/","query":"","scheme":"http","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "HTTP://h")}}',
    '{"fragment":"","host":"h","hostname":"h","opaque":"","path":"","query":"","scheme":"http","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "http://h?")}}',
    '{"fragment":"","host":"h","hostname":"h","opaque":"","path":"","query":"","scheme":"http","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "a b")}}',
    '{"fragment":"","host":"","hostname":"","opaque":"","path":"a b","query":"","scheme":"","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "*")}}',
    '{"fragment":"","host":"","hostname":"","opaque":"","path":"*","query":"","scheme":"","userinfo":""}',
  ],
  [
    '{{toJson (urlParse "http://u@h")}}',
    '{"fragment":"","host":"h","hostname":"h","opaque":"","path":"","query":"","scheme":"http","userinfo":"u"}',
  ],
  [
    '{{urlParse "%zz"}}',
    'error: template: t:1:2: executing "t" at <urlParse "%zz">: error calling urlParse: unable to parse url: parse "%zz": invalid URL escape "%zz"',
  ],
  [
    '{{urlParse "http://h:port/"}}',
    'error: template: t:1:2: executing "t" at <urlParse "http://h:port/">: error calling urlParse: unable to parse url: parse "http://h:port/": invalid port ":port" after host',
  ],
  [
    '{{urlParse ":x"}}',
    'error: template: t:1:2: executing "t" at <urlParse ":x">: error calling urlParse: unable to parse url: parse ":x": missing protocol scheme',
  ],
  [
    '{{urlParse "1:2"}}',
    'error: template: t:1:2: executing "t" at <urlParse "1:2">: error calling urlParse: unable to parse url: parse "1:2": first path segment in URL cannot contain colon',
  ],
  [
    '{{urlParse "http://[::1"}}',
    'error: template: t:1:2: executing "t" at <urlParse "http://[::1">: error calling urlParse: unable to parse url: parse "http://[::1": missing \']\' in host',
  ],
  [
    '{{urlParse "http://a b/"}}',
    'error: template: t:1:2: executing "t" at <urlParse "http://a b/">: error calling urlParse: unable to parse url: parse "http://a b/": invalid character " " in host name',
  ],
  [
    '{{urlParse "http://h/%1"}}',
    'error: template: t:1:2: executing "t" at <urlParse "http://h/%1">: error calling urlParse: unable to parse url: parse "http://h/%1": invalid URL escape "%1"',
  ],
  [
    '{{urlParse "http://u v@h/"}}',
    'error: template: t:1:2: executing "t" at <urlParse "http://u v@h/">: error calling urlParse: unable to parse url: parse "http://u v@h/": net/url: invalid userinfo',
  ],
  [
    '{{urlParse "http://[x]/"}}',
    'error: template: t:1:2: executing "t" at <urlParse "http://[x]/">: error calling urlParse: unable to parse url: parse "http://[x]/": invalid host: ParseAddr("x"): unable to parse IP',
  ],
]);

describeTemplates('joining', [
  [
    '{{urlJoin (dict "scheme" "http" "host" "h:80" "path" "/a b" "query" "q=1" "fragment" "f x" "userinfo" "u:p")}}',
    'http://u:p@h:80/a%20b?q=1#f%20x',
  ],
  [
    '{{urlJoin (dict "host" "h" "path" "p")}} {{urlJoin (dict "path" "a:b")}} {{urlJoin (dict "scheme" "mailto" "opaque" "a@b")}} {{urlJoin (dict)}}|',
    '//h/p ./a:b mailto:a@b |',
  ],
  [
    '{{urlJoin (dict "scheme" 1)}}',
    'error: template: t:1:2: executing "t" at <urlJoin (dict "scheme" 1)>: error calling urlJoin: unable to parse scheme key, must be of type string, but int found',
  ],
]);
