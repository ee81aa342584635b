// Owns seeded random charts for the comparison with the real helm: values with traps, subcharts, flags, and templates
// that call functions with arguments of every kind.

/** Numbers from a seed (mulberry32), so that a failing seed can be run again. */
export interface Random {
  /** An integer from 0 to below `limit`. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  /** True one time in `n`. */
  oneIn(n: number): boolean;
}

export function createRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number) => next() % limit;
  return { below, pick: (items) => items[below(items.length)]!, oneIn: (n) => below(n) === 0 };
}

/** A chart on paper: files by path, and the flags to render it with. */
export interface RandomChart {
  readonly files: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
}

const KEYS = ['a', 'b', 'c', 'sub', 'global', 'tags', 'x1', 'y'];
const SCALARS = [
  '1',
  '0',
  '-5',
  '1.5',
  '1e3',
  '0x10',
  '017',
  '1_000',
  '12345678',
  '0.000001',
  '123456789012345678',
  '.5',
  'true',
  'no',
  'on',
  'null',
  '~',
  '""',
  "''",
  'text',
  '"quoted"',
  "'it''s'",
  '"1"',
  '"true"',
  '"null"',
  '2001-01-01',
  '1:30',
  '"a: b"',
  '"- x"',
  '"#c"',
  '" lead"',
  '"trail "',
  '"multi\\nline"',
  '"multi\\nline\\n"',
  '"tab\\there"',
  'über',
  '"😀"',
  '"{{ 1 }}"',
  '"<a&b>"',
  '"%d"',
  'a,b',
  '"@x"',
  '"`"',
  '"!x"',
  '"*"',
  '"&"',
  '"0o7"',
  '"+1"',
  '"1e5"',
  '"="',
] as const;

function value(random: Random, depth: number): string {
  const kind = random.below(depth > 2 ? 6 : 10);
  if (kind < 6) return random.pick(SCALARS);
  if (kind < 8) return `[${Array.from({ length: random.below(4) }, () => value(random, depth + 1)).join(', ')}]`;
  return `{${entries(random, depth + 1).join(', ')}}`;
}

function entries(random: Random, depth: number): string[] {
  const keys = KEYS.filter(() => random.oneIn(2));
  return keys.map((key) => `${key}: ${value(random, depth)}`);
}

/** Sections of the subchart, of globals and of tags are tables but for one time in ten. */
function valuesFile(random: Random): string {
  const table = () => (random.oneIn(10) ? value(random, 1) : `{${entries(random, 1).join(', ')}}`);
  const plain = entries(random, 0).filter((line) => !/^(?:sub|global|tags): /.test(line));
  const sections = ['sub', 'global', 'tags'].filter(() => random.oneIn(2)).map((key) => `${key}: ${table()}`);
  return [...plain, ...sections].map((line) => `${line}\n`).join('');
}

const ATOMS = [
  '.Values',
  '.Values.a',
  '.Values.b',
  '.Values.c',
  '.Values.a.b',
  '.Values.global',
  '.Values.sub',
  '.Chart.Name',
  '.Release.Name',
  '.Template.Name',
  '1',
  '0',
  '-3',
  '2.5',
  '"x"',
  '"a b  c"',
  '"aBcDe"',
  '"1.2.3"',
  '"v1.20.0-rc.1"',
  '"foo-bar_baz"',
  '""',
  'true',
  'nil',
  '(list 1 2 3)',
  '(list "b" "a" "b")',
  '(list)',
  '(dict "k" "v" "n" 1)',
  '(dict)',
  '$',
  '.Files.Get "f.txt"',
  '(int64 7)',
  '(list nil 1 "a")',
  '"12"',
  '"0x1f"',
  '"a,b,c"',
  '"YWJj"',
  '(until 3)',
  '"line1\\nline2\\n"',
  '(float64 3)',
  '(index (list "q") 0)',
  '"%v-%d"',
] as const;
/** Functions that take a value of any kind. */
const LENIENT = [
  'quote',
  'squote',
  'toString',
  'toJson',
  'toYaml',
  'toPrettyJson',
  'toRawJson',
  'int',
  'int64',
  'float64',
  'kindOf',
  'typeOf',
  'empty',
  'not',
  'print',
  'println',
  'default "d"',
  'cat "x"',
  'html',
  'js',
  'urlquery',
  'coalesce nil ""',
  'toToml',
  'toStrings',
  'join "-"',
  'sortAlpha',
  'toYamlPretty',
  'floor',
  'ceil',
  'round 1',
  'add 1',
  'sub 1',
  'mul 2',
  'max 2',
  'min 2',
  'maxf 2',
  'addf 1.5',
  'printf "%v|%q|%T"',
  'ternary "t" "f" true',
  'list',
  'list 1',
  'dict "k"',
  'and 1',
  'or 0',
  'eq "x"',
  'kindIs "map"',
  'typeIs "string"',
  'deepEqual 1',
  'toJson | fromJson',
  'toYaml | fromYaml',
  'toJson | sha256sum',
  'toString | upper',
  'toString | trunc 5',
  'quote | indent 2',
  'toString | b64enc',
  'toYaml | nindent 2 | trim',
  'printf "%s|%d"',
  'toString | abbrev 6',
  'toString | wrap 5',
  'toString | title',
  'toString | snakecase',
  'toString | regexFindAll "[a-z]+" -1',
  'toString | splitList ","',
] as const;
const STRICT = [
  'quote',
  'squote',
  'upper',
  'lower',
  'title',
  'untitle',
  'trim',
  'nospace',
  'toString',
  'toJson',
  'toYaml',
  'toPrettyJson',
  'b64enc',
  'b64dec',
  'int',
  'int64',
  'float64',
  'len',
  'first',
  'last',
  'rest',
  'initial',
  'reverse',
  'uniq',
  'compact',
  'keys | sortAlpha',
  'kindOf',
  'typeOf',
  'empty',
  'not',
  'fromYaml',
  'fromJson',
  'snakecase',
  'camelcase',
  'kebabcase',
  'initials',
  'swapcase',
  'sha256sum',
  'adler32sum',
  'html',
  'js',
  'urlquery',
  'print',
  'println',
  'floor',
  'ceil',
  'toStrings',
  'sortAlpha',
  'join "-"',
  'splitList ","',
  'trunc 3',
  'trunc -2',
  'indent 2',
  'nindent 4',
  'default "d"',
  'repeat 2',
  'replace "a" "z"',
  'trimSuffix "c"',
  'trimPrefix "a"',
  'contains "a"',
  'hasPrefix "a"',
  'add 1',
  'sub 1',
  'mul 2',
  'div 2',
  'mod 2',
  'max 2',
  'min 2',
  'substr 1 3',
  'abbrev 5',
  'wrap 4',
  'cat "x"',
  'atoi',
  'base',
  'dir',
  'ext',
  'clean',
  'semver',
  'semverCompare ">=1.2"',
  'regexFind "[a-c]+"',
  'regexReplaceAll "a(.)" "$1"',
  'has 1',
  'has "a"',
  'without "a"',
  'append 9',
  'prepend 9',
  'deepCopy',
  'toToml',
  'fromYamlArray',
  'eq 1',
  'eq "x"',
  'ne 1',
  'lt 1',
  'gt 1.5',
  'printf "%v|%d|%s|%q" 1',
  'get "k"',
  'hasKey "k"',
  'pluck "k"',
  'dig "a" "b" "none"',
  'ternary "t" "f"',
  'coalesce nil ""',
  'tpl "{{ . }}" ',
  'required "msg"',
  'toYamlPretty',
  'round 1',
] as const;

function expression(random: Random, depth = 0): string {
  const atom = depth < 2 && random.oneIn(4) ? `(${expression(random, depth + 1)})` : random.pick(ATOMS);
  const pipes = Array.from({ length: random.below(3) }, () => random.pick(random.oneIn(6) ? STRICT : LENIENT));
  return [atom, ...pipes].join(' | ');
}

function block(random: Random, depth: number): string {
  const inner = () => (depth > 1 ? `{{ ${expression(random)} }}` : block(random, depth + 1));
  switch (random.below(9)) {
    case 0:
      return `{{ if ${expression(random)} }}${inner()}{{ else }}${inner()}{{ end }}`;
    case 1:
      return `{{ range ${expression(random)} }}[{{ . }}]{{ else }}none{{ end }}`;
    case 2:
      return `{{ range $k, $v := ${expression(random)} }}{{ $k }}={{ $v | quote }};{{ end }}`;
    case 3:
      return `{{ with ${expression(random)} }}{{ . | toJson }}{{ else }}${inner()}{{ end }}`;
    case 4:
      return `{{- $v := ${expression(random)} -}} {{ $v | toJson }}`;
    case 5:
      return `{{ include "named" ${random.pick(['.', '.Values', '(dict "k" 1)', '1'])} }}`;
    case 6:
      return `{{ and (${expression(random)}) (${expression(random)}) | toJson }}`;
    default:
      return `{{ ${expression(random)} }}`;
  }
}

/** YAML-safe: the text stands in a literal block, so that most of what templates print is a valid manifest. */
function template(random: Random): string {
  const lines = Array.from({ length: 1 + random.below(3) }, (_, index) => {
    return `{{- define "t${index}" }}${block(random, 0)}{{ end }}\nv${index}: |-2\n{{ include "t${index}" . | indent 2 }}\n`;
  });
  const kind = random.pick(['ConfigMap', 'Service', 'Zebra', 'Namespace', 'Job']);
  const hook = random.oneIn(5)
    ? '  annotations: {"helm.sh/hook": "pre-install, test", "helm.sh/hook-weight": "-1"}\n'
    : '';
  return `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: {{ .Release.Name }}-x\n${hook}${lines.join('')}`;
}

const DUMP = `apiVersion: v1
kind: ConfigMap
metadata: {name: dump}
yaml: |-2
{{ toYaml .Values | indent 2 }}
json: {{ toJson .Values | quote }}
text: {{ print .Values | quote }}
`;
const HELPERS = '{{- define "named" }}<{{ . | toJson }}>{{ end }}';

function setFlags(random: Random): string[] {
  const free = [
    'n1',
    'n2.x',
    'n3[0]',
    'n4[1].y',
    'n2.z.q',
    'n5[0][1]',
    'sub.n1',
    'global.n1',
    'n\\.6',
    'tags.t',
    'sub.sub',
  ];
  const taken = ['a', 'a.b', 'sub.a', 'b[0]', 'b[1].x', 'global.g', 'c.c', 'x1[2]', 'sub'];
  const path = () => random.pick(random.oneIn(5) ? taken : free);
  const data = () =>
    random.pick(['1', '007', 'true', 'null', 'x', '{a,b}', '', '1.5', 'a\\,b', '-3', '+4', '{}', 'NULL']);
  const flag = random.pick(['--set', '--set-string', '--set-json', '--set-literal']);
  const json = () => random.pick(['1', '"x"', '{"q":[1,null]}', '[]', 'null', '1.50', '', 'bad']);
  const assignment = `${path()}=${flag === '--set-json' ? json() : data()}`;
  const more =
    random.oneIn(3) && flag !== '--set-literal' ? `,${path()}=${flag === '--set-json' ? json() : data()}` : '';
  return [flag, `${assignment}${more}`];
}

/** The chart of a seed. */
export function randomChart(seed: number): RandomChart {
  const random = createRandom(seed);
  const dependency = random.pick([
    '',
    '    alias: al\n',
    '    condition: sub.a,global.on\n',
    '    tags: [t]\n',
    '    import-values: [data]\n',
    '    import-values: [{child: a, parent: imp}]\n',
  ]);
  const declared = random.oneIn(2)
    ? `dependencies:\n  - name: sub\n    version: ">=0.1.0"\n    repository: ""\n${dependency}`
    : '';
  const files: Record<string, string> = {
    'chart/Chart.yaml': `apiVersion: v2\nname: root\nversion: 1.2.3\nappVersion: 4.50\n${declared}`,
    'chart/values.yaml': valuesFile(random),
    'chart/f.txt': 'file\ntext\n',
    'chart/templates/_h.tpl': HELPERS,
    'chart/templates/dump.yaml': DUMP,
    'chart/charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
    'chart/charts/sub/values.yaml': `${valuesFile(random)}exports: {data: {imported: ${value(random, 1)}}}\n`,
    'chart/charts/sub/templates/dump.yaml': DUMP,
    'v.yaml': valuesFile(random),
  };
  if (!random.oneIn(3)) files['chart/templates/t.yaml'] = template(random);
  const flags = ['--kube-version', '1.36.0'];
  if (random.oneIn(2)) flags.push('-f', 'v.yaml');
  for (let count = random.below(3); count > 0; count--) flags.push(...setFlags(random));
  return { files, flags };
}
