// Owns random templates for the differential test: calls of every deterministic function with fitting and unfitting
// arguments, control structures, and mutations of working templates. The same seed gives the same templates.

/** What all generated templates are run on. */
export const DATA = {
  s: 'hello World',
  u: 'héllo wörld — ß',
  e: '',
  n: null,
  t: true,
  f: false,
  i: 3,
  x: -2.5,
  z: 0,
  big: 12345678,
  l: [1, 'two', null, true],
  ls: ['b', 'a', 'c', 'a'],
  le: [],
  m: { a: 1, b: 'x', c: { d: [1, 2], e: null } },
  me: {},
  lines: 'one\ntwo\n\n  three ',
  num: '42',
  version: '1.2.3-rc.1',
};

/** A seeded source of choices. */
export class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0;
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const STRINGS = [
  '.s',
  '.u',
  '.e',
  '.lines',
  '.num',
  '.version',
  '"a-b_c d"',
  '"HTTPServer2xx"',
  '`a\\d+`',
  '","',
  '" "',
  '"l"',
  '"a"',
  '"$1x"',
  '"1.2"',
  '"http://u:p@h:80/p?q=1#f"',
  '"2006-01-02"',
  '"2020-01-02"',
  '"1h30m"',
  '">=1.0.0"',
  '"YWJj"',
  '"=="',
  '"/a/../b.txt"',
  '"_1"',
  '"\\xff\\u00e9\\n"',
  '"07"',
  '"0x1f"',
  '"5.0"',
  '"-3"',
];
const INTEGERS = ['0', '1', '2', '3', '5', '-1', '10', '(int .i)', "'x'", '0x10', '1_0', '5.0'];
const FLOATS = ['.i', '.x', '.z', '.big', '1.5', '1e3', '-0.0', '1e21', '0.000001', '2.5e-7', '123456789.125'];
const LISTS = [
  '.l',
  '.ls',
  '.le',
  '(list 1 2 3)',
  '(list "a" .n 1.0)',
  '(until 4)',
  '(splitList "," "a,b,,c")',
  '(list (list 1 2) (list 3))',
];
const MAPS = [
  '.m',
  '.me',
  '(dict "a" 1 "b" (dict "c" 2))',
  '(dict "x" .n "y" "")',
  '.m.c',
  '(dict "a" "" "z" (list 1))',
];
const OTHERS = [
  '.n',
  '.nope',
  '.t',
  '.f',
  'nil',
  'true',
  '(omit . "m")',
  '(len $)',
  '.m.nope.deep',
  '(semver "1.2.3")',
  '.s.x',
  '(.n)',
  '(.nope).x',
  '1i',
  '"x" "y"',
];

type Kind = 's' | 'i' | 'n' | 'l' | 'm' | 'a' | 'b' | 'r' | 'v' | 'd' | 'y' | 'z' | 'u';

/** Functions with the kinds of their arguments; `*` repeats the last. v: a constraint, r: a regular expression, d: a date, y: a layout, z: a zone,
 * u: a duration. */
const FUNCTIONS: readonly string[] = (
  'trim:s trimAll:ss trimSuffix:ss trimPrefix:ss upper:s lower:s title:s untitle:s swapcase:s snakecase:s kebabcase:s ' +
  'camelcase:s nospace:s initials:s repeat:is indent:is nindent:is substr:iis trunc:is abbrev:is abbrevboth:iis wrap:is ' +
  'wrapWith:iss contains:ss hasPrefix:ss hasSuffix:ss replace:sss plural:ssi quote:a* squote:a* cat:a* toString:a ' +
  'toStrings:a join:sa sortAlpha:a split:ss splitn:sis splitList:ss int:a int64:a float64:a atoi:s toDecimal:a add:a* ' +
  'add1:a sub:aa mul:aa* div:aa mod:aa max:aa* min:aa* maxf:aa* minf:aa* floor:a ceil:a round:ai addf:a* add1f:a ' +
  'subf:aa* mulf:aa* divf:aa* until:i untilStep:iii seq:i* list:a* concat:l* first:l last:l rest:l initial:l append:la ' +
  'prepend:la reverse:l uniq:l compact:l without:la* has:al slice:lii chunk:il all:a* any:a* dict:sa get:ms hasKey:ms ' +
  'pluck:sm* pick:ms* omit:ms* merge:mm* mergeOverwrite:mm* dig:ssam deepCopy:a default:aa empty:a coalesce:a* ' +
  'ternary:aab kindOf:a kindIs:sa typeOf:a typeIs:sa typeIsLike:sa deepEqual:aa toJson:a toPrettyJson:a toRawJson:a ' +
  'fromJson:s mustFromJson:s mustToJson:a regexMatch:rs regexFind:rs regexFindAll:rsi regexReplaceAll:rss ' +
  'regexReplaceAllLiteral:rss regexSplit:rsi mustRegexFind:rs mustRegexSplit:rsi regexQuoteMeta:s base:s dir:s clean:s ' +
  'ext:s isAbs:s urlParse:s urlJoin:m semver:s semverCompare:vs b64enc:s b64dec:s b32enc:s b32dec:s sha1sum:s ' +
  'sha256sum:s adler32sum:s toDate:ss duration:a durationRound:a index:ai len:a not:a and:aa or:aa eq:aa* ne:aa lt:aa ' +
  'le:aa gt:aa ge:aa print:a* println:a* html:a js:a urlquery:a printf:sa* tuple:a* mustAppend:la mustSlice:lii fail:s ' +
  'mustToDate:ss mustToDate:ys date:yd dateInZone:ydz htmlDate:d htmlDateInZone:dz dateModify:ud mustDateModify:ud ' +
  'unixEpoch:d toDate:ys derivePassword:issss call:a'
).split(' ');

const PATTERNS = [
  '"a+"',
  '"(h)(e)?"',
  '"["',
  '"\\\\d+"',
  '""',
  '"o|l"',
  '"(?i)HELLO"',
  '"^"',
  '"\\\\s*"',
  '"(?P<first>l)"',
  '"a**"',
];
const CONSTRAINTS = [
  '">=1.0.0"',
  '"^1.2"',
  '"~1.2.3-0"',
  '"1.x || 2"',
  '"bad"',
  '"1.0 - 2.0"',
  '"*"',
  '"!=1.2.3"',
  '">1, <3"',
];
const DATES = [
  '(toDate "2006-01-02" "2020-02-29")',
  '(toDate "2006-01-02T15:04:05Z07:00" "2021-07-04T05:06:07.123456789+02:00")',
  '(toDate "Jan _2 06 3:04PM" "Mar  7 99 12:30AM")',
  '1700000000',
  '(int64 0)',
  '(toDate "" "")',
];
const LAYOUTS = [
  '"2006-01-02"',
  '"Mon, 02 Jan 2006 15:04:05 MST"',
  '"Monday January _2 3:04:05PM 2006 -0700"',
  '"2006-01-02T15:04:05.999999999Z07:00"',
  '"06/1/2 03:4:5 pm .000 ,999"',
  '"002 __2 20060102150405"',
  '"Z0700 Z07 -07 -07:00:00 Janet Month _2006"',
  '"15h04m"',
  '""',
];
const ZONES = ['"UTC"', '"America/New_York"', '"Europe/Berlin"', '"Asia/Kolkata"', '"Local"', '"nope"', '""'];
const DURATIONS = ['"1h30m"', '"-36h"', '"1.5s"', '"bad"', '"300ms"', '"8760h"'];
const VERBS =
  '%v %d %s %q %x %5d %-8v| %+v %#v %T %t %f %.2f %8.3f %e %g %c %U %o %b %X %6s %.3s %[1]v %[3]d %*d %!  %% %z %08.3f %+d %x % x %#x %#q %+q'.split(
    ' ',
  );

/** One template. */
export function generateTemplate(seed: number): string {
  const choices = new Choices(seed);
  const parts = Array.from({ length: 1 + choices.below(3) }, () => statement(choices, 2));
  const text = parts.join(choices.of(['', ' ', '\n', ' - ']));
  return choices.below(10) === 0 ? mutate(text, choices) : text;
}

function statement(choices: Choices, depth: number): string {
  const open = choices.of(['{{', '{{', '{{ ', '{{- ']);
  const close = choices.of(['}}', '}}', ' }}', ' -}}']);
  const action = (text: string) => `${open}${text}${close}`;
  const body = () => (depth === 0 ? 'x' : statement(choices, depth - 1));
  switch (choices.below(depth === 0 ? 4 : 10)) {
    case 4:
      return `${action(`if ${expression(choices, 2)}`)}${body()}${action('else')}${body()}${action('end')}`;
    case 5:
      return `${action(`with ${expression(choices, 2)}`)}${body()}[{{.}}]${action('end')}`;
    case 6:
      return `${action(`range $i, $v := ${argument('l', choices, 1)}`)}{{$i}}={{$v}}${body()},${action('else')}none${action('end')}`;
    case 7:
      return `${action(`range $k, $v := ${argument('m', choices, 1)}`)}{{$k}}:{{$v}};{{if eq $k "b"}}{{break}}{{end}}${action('end')}`;
    case 8:
      return `${action(`$x := ${expression(choices, 2)}`)}{{$x}}{{ $x | ${choices.of(['quote', 'toString', 'upper', 'toJson', 'len'])} }}`;
    case 9:
      return `{{define "t${choices.below(3)}"}}<{{.}}>{{.a.b}}{{end}}{{template "t${choices.below(3)}" ${argument('a', choices, 1)}}}`;
    default:
      return action(expression(choices, 2 + choices.below(2)));
  }
}

function expression(choices: Choices, depth: number): string {
  const first = choices.below(4) === 0 ? argument('a', choices, depth) : call(choices, depth);
  return choices.below(3) === 0 ? `${first} | ${call(choices, depth, true)}` : first;
}

function call(choices: Choices, depth: number, isPiped = false): string {
  const [name = '', shape = ''] = choices.of(FUNCTIONS).split(':');
  if ((name === 'fail' || name === 'call') && choices.below(4) > 0) return call(choices, depth, isPiped);
  // Anything that is no date counts as the present, which differs.
  const isDated = shape.includes('d');
  if ((isDated || name.endsWith('oDate')) && isPiped) return call(choices, depth, isPiped);
  const kinds = [...shape.replace('*', '')] as Kind[];
  if (shape.endsWith('*')) for (let extra = choices.below(3); extra > 0; extra--) kinds.push(kinds.at(-1)!);
  if (isPiped && kinds.length > 0) kinds.pop();
  if (choices.below(60) === 0) kinds.push('a');
  const args = kinds.map((kind, index) => {
    if (name === 'printf' && index === 0)
      return JSON.stringify(choices.below(3) === 0 ? `${choices.of(VERBS)} ${choices.of(VERBS)}` : choices.of(VERBS));
    // Maps merged into their own parts would be endless.
    if (name.startsWith('merge')) return index === 0 ? '(dict "k" 1 "a" (dict "q" "") "b" (list))' : choices.of(MAPS);
    return argument(choices.below(40) === 0 && !isDated && kind !== 'v' ? 'a' : kind, choices, depth - 1);
  });
  const text = [name, ...args].join(' ');
  // Times print their insides under some verbs.
  return /^(?:mustT|t)oDate$|ateModify$/.test(name) && !isPiped ? `toString (${text})` : text;
}

function argument(kind: Kind, choices: Choices, depth: number): string {
  if (depth > 0 && kind !== 'd' && kind !== 'v' && choices.below(4) === 0) return `(${call(choices, depth - 1)})`;
  switch (kind) {
    case 's':
      return choices.of(STRINGS);
    case 'i':
      return choices.of(INTEGERS);
    case 'n':
      return choices.of(FLOATS);
    case 'l':
      return choices.of(LISTS);
    case 'm':
      return choices.of(MAPS);
    case 'b':
      return choices.of(['true', 'false', '.t', '.f']);
    case 'r':
      return choices.of(PATTERNS);
    case 'v':
      return choices.of(CONSTRAINTS);
    case 'd':
      return choices.of(DATES);
    case 'y':
      return choices.of(LAYOUTS);
    case 'z':
      return choices.of(ZONES);
    case 'u':
      return choices.of(DURATIONS);
    default:
      return choices.of(choices.below(12) === 0 ? OTHERS : choices.of([STRINGS, INTEGERS, FLOATS, LISTS, MAPS]));
  }
}

const FRAGMENTS = [
  '{{',
  '}}',
  '-',
  ' ',
  '"',
  '`',
  '(',
  ')',
  '|',
  '(omit . "m")',
  '(len $)',
  ':=',
  '=',
  ',',
  '@',
  "'",
  '/*',
  '*/',
  '\n',
  'end',
  'else',
  'é',
  '1',
  '\\',
];

function mutate(text: string, choices: Choices): string {
  let mutated = text;
  for (let times = 1 + choices.below(2); times > 0; times--) {
    const at = choices.below(mutated.length + 1);
    const cut = choices.below(3);
    mutated = mutated.slice(0, at) + (choices.below(2) === 0 ? choices.of(FRAGMENTS) : '') + mutated.slice(at + cut);
  }
  return mutated;
}
