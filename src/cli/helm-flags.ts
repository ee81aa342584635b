// Owns the flags of `lockstep helm template`, read as helm reads them. What they do is helm.ts.

import type { Compat } from '../engines/helm/compat.ts';
import type { ValueFlags } from '../engines/helm/user-values.ts';

/** The command line of `helm template`. */
export interface TemplateFlags extends ValueFlags {
  readonly args: readonly string[];
  readonly namespace: string;
  readonly kubeVersion: string;
  readonly apiVersions: readonly string[];
  readonly showOnly: readonly string[];
  readonly includeCrds: boolean;
  readonly isUpgrade: boolean;
  readonly skipTests: boolean;
  readonly noHooks: boolean;
  readonly skipSchemaValidation: boolean;
  readonly compat: Compat;
}

type Kind = 'text' | 'texts' | 'list' | 'flag';

/** Helm's name of each flag, its short form and how its value is read; `list` splits at commas. */
const FLAGS: readonly (readonly [name: string, short: string, kind: Kind])[] = [
  ['namespace', 'n', 'text'],
  ['values', 'f', 'list'],
  ['set', '', 'texts'],
  ['set-string', '', 'texts'],
  ['set-json', '', 'texts'],
  ['set-file', '', 'texts'],
  ['set-literal', '', 'texts'],
  ['kube-version', '', 'text'],
  ['api-versions', 'a', 'list'],
  ['show-only', 's', 'texts'],
  ['include-crds', '', 'flag'],
  ['is-upgrade', '', 'flag'],
  ['skip-tests', '', 'flag'],
  ['no-hooks', '', 'flag'],
  ['skip-schema-validation', '', 'flag'],
  ['compat', '', 'text'],
];

/** Reads the arguments after `helm template`. Throws Error with helm's text for a flag that is unknown or lacks a value. */
export function parseTemplateFlags(argv: readonly string[]): TemplateFlags {
  const found = new Map<string, string[]>();
  const args: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      args.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      args.push(word);
      continue;
    }
    const { name, kind, shown, attached } = readFlag(word);
    let value = attached;
    if (value === undefined) {
      if (kind === 'flag') value = 'true';
      else if (++at >= argv.length) throw new Error(`flag needs an argument: ${shown}`);
      else value = argv[at]!;
    }
    const values = kind === 'list' ? value.split(',') : [value];
    found.set(name, [...(found.get(name) ?? []), ...values]);
  }
  return toFlags(found, args);
}

function readFlag(word: string): { name: string; kind: Kind; shown: string; attached: string | undefined } {
  const isLong = word.startsWith('--');
  const equals = word.indexOf('=');
  const stem = isLong ? word.slice(2, equals < 0 ? undefined : equals) : word[1]!;
  const flag = FLAGS.find(([name, short]) => (isLong ? name === stem : short === stem && short !== ''));
  if (flag === undefined) {
    throw new Error(isLong ? `unknown flag: --${stem}` : `unknown shorthand flag: '${stem}' in ${word}`);
  }
  const rest = isLong
    ? equals < 0
      ? undefined
      : word.slice(equals + 1)
    : word.slice(2).replace(/^=/, '') || undefined;
  const shown = isLong ? `--${stem}` : `'${stem}' in ${word}`;
  return { name: flag[0], kind: flag[2], shown, attached: rest };
}

function toFlags(found: ReadonlyMap<string, string[]>, args: readonly string[]): TemplateFlags {
  const texts = (name: string) => found.get(name) ?? [];
  const text = (name: string, otherwise: string) => texts(name).at(-1) ?? otherwise;
  const isSet = (name: string) => parseBool(name, text(name, 'false'));
  return {
    args,
    namespace: text('namespace', 'default'),
    values: texts('values'),
    set: texts('set'),
    setString: texts('set-string'),
    setJson: texts('set-json'),
    setFile: texts('set-file'),
    setLiteral: texts('set-literal'),
    kubeVersion: text('kube-version', ''),
    apiVersions: texts('api-versions'),
    showOnly: texts('show-only'),
    includeCrds: isSet('include-crds'),
    isUpgrade: isSet('is-upgrade'),
    skipTests: isSet('skip-tests'),
    noHooks: isSet('no-hooks'),
    skipSchemaValidation: isSet('skip-schema-validation'),
    compat: parseCompat(text('compat', 'helm3')),
  };
}

function parseBool(name: string, text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  const cause = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
  throw new Error(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${cause}`);
}

function parseCompat(text: string): Compat {
  if (text === 'helm3' || text === 'helm4') return text;
  throw new Error(`invalid argument ${JSON.stringify(text)} for "--compat" flag: must be helm3 or helm4`);
}
