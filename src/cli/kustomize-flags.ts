// Owns the flags of `lockstep kustomize build`: the reference's names, forms and complaints. What they do is kustomize.ts.

/** The flags of one run. */
export interface KustomizeFlags {
  readonly target: string;
  readonly loadRestrictions: 'rootOnly' | 'none';
  readonly reorder: 'none' | 'legacy' | 'unspecified';
  readonly managedByLabel: boolean;
  readonly enableHelm: boolean;
  /** What charts are told of the cluster, where their entries say nothing. */
  readonly helmKubeVersion: string;
  readonly helmApiVersions: readonly string[];
  /** File or directory to write to; '' means standard output. */
  readonly output: string;
  readonly help: boolean;
  /** Lines for standard error about deprecated flags. */
  readonly notices: readonly string[];
}

type FlagType = 'bool' | 'string' | 'list';

const TYPES: Readonly<Record<string, FlagType>> = {
  'load-restrictor': 'string',
  reorder: 'string',
  'enable-helm': 'bool',
  'helm-command': 'string',
  'helm-api-versions': 'list',
  'helm-kube-version': 'string',
  'helm-debug': 'bool',
  'enable-managedby-label': 'bool',
  'enable-alpha-plugins': 'bool',
  'enable-exec': 'bool',
  network: 'bool',
  'network-name': 'string',
  mount: 'list',
  env: 'list',
  'as-current-user': 'bool',
  output: 'string',
  help: 'bool',
  'stack-trace': 'bool',
};

const SHORT: Readonly<Record<string, string>> = { o: 'output', h: 'help', e: 'env' };

/** Flags that make kustomize run other programs; nothing here does. */
const REFUSED = ['enable-alpha-plugins', 'enable-exec', 'network', 'mount', 'env', 'as-current-user', 'helm-command'];

const DEPRECATED: Readonly<Record<string, string>> = {
  reorder: "use the new 'sortOptions' field in kustomization.yaml instead.",
  'enable-managedby-label':
    'The flag `enable-managedby-label` has been deprecated. Use the `managedByLabel` option in the `buildMetadata` field instead.',
};

export const usage = `Build a set of KRM resources using a 'kustomization.yaml' file.
The DIR argument must be a path to a directory containing
'kustomization.yaml', or a git repository URL with a path suffix
specifying same with respect to the repository root.
If DIR is omitted, '.' is assumed.

Usage:
  lockstep kustomize build DIR [flags]

Flags:
      --enable-helm              render the charts of helmCharts
      --helm-api-versions stringArray   API versions that charts see
      --helm-kube-version string        Kubernetes version that charts see
  -h, --help                     help for build
      --load-restrictor string   'LoadRestrictionsNone' lets kustomizations read files outside their directory (default "LoadRestrictionsRootOnly")
  -o, --output string            write to this file, or one file per object to this directory
`;

/** Reads the arguments behind `build`. Throws with the reference's text. */
export function parseKustomizeFlags(args: readonly string[]): KustomizeFlags {
  const values = new Map<string, string>();
  const lists = new Map<string, string[]>();
  const paths: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      paths.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      paths.push(arg);
      continue;
    }
    const flag = readFlag(arg);
    const type = TYPES[flag.name]!;
    if (flag.value === undefined && type !== 'bool') {
      i += 1;
      if (i >= args.length) throw new Error(`flag needs an argument: ${flag.shown}`);
      flag.value = args[i]!;
    }
    values.set(flag.name, flag.value ?? 'true');
    if (type === 'list') lists.set(flag.name, [...(lists.get(flag.name) ?? []), flag.value!]);
  }
  return toFlags(values, lists, paths);
}

function readFlag(arg: string): { readonly name: string; readonly shown: string; value: string | undefined } {
  if (arg.startsWith('--')) {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
    if (!Object.hasOwn(TYPES, name)) throw new Error(`unknown flag: --${name}`);
    return { name, shown: `--${name}`, value: equals < 0 ? undefined : arg.slice(equals + 1) };
  }
  const letter = arg[1]!;
  const name = SHORT[letter];
  if (name === undefined) throw new Error(`unknown shorthand flag: '${letter}' in ${arg}`);
  const rest = arg.slice(2).replace(/^=/, '');
  return { name, shown: `'${letter}' in ${arg}`, value: rest === '' ? undefined : rest };
}

function isTrue(values: ReadonlyMap<string, string>, name: string): boolean {
  const value = values.get(name);
  if (value === undefined) return false;
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new Error(
    `invalid argument "${value}" for "--${name}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
  );
}

function toFlags(
  values: ReadonlyMap<string, string>,
  lists: ReadonlyMap<string, readonly string[]>,
  paths: readonly string[],
): KustomizeFlags {
  const help = isTrue(values, 'help');
  if (!help && paths.length > 1) throw new Error('specify one path to kustomization.yaml');
  for (const name of REFUSED) {
    if (values.has(name) && values.get(name) !== 'false') {
      throw new Error(`--${name} is not supported: lockstep runs no other programs`);
    }
  }
  const restrictor = oneOf(values, 'load-restrictor', ['LoadRestrictionsRootOnly', 'LoadRestrictionsNone']);
  const order = oneOf(values, 'reorder', ['legacy', 'none']);
  return {
    target: paths[0] ?? '.',
    loadRestrictions: restrictor === 'LoadRestrictionsNone' ? 'none' : 'rootOnly',
    reorder: order === 'legacy' || order === 'none' ? order : 'unspecified',
    managedByLabel: isTrue(values, 'enable-managedby-label'),
    enableHelm: isTrue(values, 'enable-helm'),
    helmKubeVersion: values.get('helm-kube-version') ?? '',
    helmApiVersions: lists.get('helm-api-versions') ?? [],
    output: values.get('output') ?? '',
    help,
    notices: Object.entries(DEPRECATED)
      .filter(([name]) => values.has(name))
      .map(([name, advice]) => `Flag --${name} has been deprecated, ${advice}`),
  };
}

function oneOf(values: ReadonlyMap<string, string>, name: string, legal: readonly string[]): string {
  const value = values.get(name) ?? '';
  if (value === '' || legal.includes(value)) return value;
  throw new Error(`illegal flag value --${name} ${value}; legal values: [${legal.join(' ')}]`);
}
