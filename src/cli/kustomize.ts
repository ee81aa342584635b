// Owns `lockstep kustomize build`: the reference's flags, output, error line and exit code around the engine. Fetching
// what only the network has and rendering charts are passed in.
import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createDiskTree } from '../artifact/disk-tree.ts';
import { type BuildOptions, type BuildResult, type Built, buildKustomization } from '../engines/kustomize/build.ts';
import type { Fetched, Missing } from '../engines/kustomize/missing.ts';
import { errorCode, errorMessage } from '../lib/errors.ts';
import { type KustomizeFlags, parseKustomizeFlags, usage } from './kustomize-flags.ts';

/** The world of one command. */
export interface KustomizeIo {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly cwd: string;
  /** Renders charts; absent: `--enable-helm` is refused. */
  readonly renderChart?: BuildOptions['renderChart'];
  /** Fetches what is missing and answers all that was fetched so far; absent: remote resources are refused. */
  readonly fetch?: (missing: readonly Missing[]) => Promise<Fetched>;
}

/** A remote resource may name others; nobody's chain is longer than this. */
const MAX_ROUNDS = 10;

/** Runs `kustomize build` with the arguments behind `build`; answers the exit code. */
export async function kustomizeBuild(args: readonly string[], io: KustomizeIo): Promise<number> {
  try {
    const flags = parseKustomizeFlags(args);
    if (flags.help) {
      io.stdout(usage);
      return 0;
    }
    for (const notice of flags.notices) io.stderr(`${notice}\n`);
    await run(flags, io);
    return 0;
  } catch (error) {
    io.stderr(`Error: ${errorMessage(error)}\n`);
    return 1;
  }
}

async function run(flags: KustomizeFlags, io: KustomizeIo): Promise<void> {
  if (flags.enableHelm && io.renderChart === undefined) {
    throw new Error('--enable-helm is not available here: no chart renderer was given');
  }
  const built = await build(flags, io);
  const { output } = flags;
  if (output === '') {
    io.stdout(built.yaml());
    return;
  }
  const path = resolve(io.cwd, output);
  if (isDirectory(path)) for (const [name, yaml] of built.files()) write(join(path, name), join(output, name), yaml);
  else write(path, output, built.yaml());
}

async function build(flags: KustomizeFlags, io: KustomizeIo): Promise<Built> {
  const tree = createDiskTree('/');
  const renderChart = chartRenderer(flags, io);
  let fetched: Fetched | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const warnings: string[] = [];
    const options: BuildOptions = {
      jailed: false,
      cwd: io.cwd,
      loadRestrictions: flags.loadRestrictions,
      reorder: flags.reorder,
      addManagedByLabel: flags.managedByLabel,
      warn: (line) => warnings.push(line),
      ...(renderChart === undefined ? {} : { renderChart }),
      ...(fetched === undefined ? {} : { fetched }),
    };
    const result = attempt(() => buildKustomization(tree, flags.target, options));
    // A round that lacks something is repeated, and so are its warnings.
    if ('error' in result || result.value.ok) for (const line of warnings) io.stderr(`${formatWarning(line)}\n`);
    if ('error' in result) throw result.error;
    if (result.value.ok) return result.value;
    if (io.fetch === undefined)
      throw new Error(`remote resources are not available here: ${describe(result.value.missing)}`);
    fetched = await io.fetch(result.value.missing);
  }
  throw new Error(`remote resources lead on after ${MAX_ROUNDS} rounds`);
}

/** The renderer with what the flags say of the cluster; a chart entry's own words win. */
function chartRenderer(flags: KustomizeFlags, io: KustomizeIo): BuildOptions['renderChart'] {
  const { renderChart } = io;
  if (!flags.enableHelm || renderChart === undefined) return undefined;
  return (request) => {
    const { chart } = request;
    const kubeVersion = chart.kubeVersion || flags.helmKubeVersion;
    const apiVersions = chart.apiVersions.length > 0 ? chart.apiVersions : flags.helmApiVersions;
    return renderChart({ ...request, chart: { ...chart, kubeVersion, apiVersions } });
  };
}

function attempt(work: () => BuildResult): { readonly value: BuildResult } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

function describe(missing: readonly Missing[]): string {
  return missing.map(({ url }) => url).join(', ');
}

/** Deprecations are printed bare, everything else as Go's log does, with the local time. */
function formatWarning(line: string): string {
  if (line.startsWith('# ')) return line;
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  return `${date} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())} ${line}`;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
};

function write(path: string, shown: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const reason = REASONS[errorCode(error) ?? ''];
    throw reason === undefined ? error : new Error(`open ${shown}: ${reason}`, { cause: error });
  }
}
