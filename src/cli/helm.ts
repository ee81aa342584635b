// Owns `lockstep helm template`: what `helm template` prints for a chart on disk, same streams, same exit code.
import { readFileSync, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { createDiskTree } from '../artifact/disk-tree.ts';
import { loadChartArchive } from '../engines/helm/archive.ts';
import { defaultApiVersions, defaultKubeVersion, parseKubeVersion } from '../engines/helm/capabilities.ts';
import type { Chart } from '../engines/helm/chart.ts';
import type { Compat } from '../engines/helm/compat.ts';
import { HelmError, type HelmErrorCode } from '../engines/helm/errors.ts';
import { loadChartFolder } from '../engines/helm/folder.ts';
import { encodeText, renderTemplateOutput, type TemplateRequest } from '../engines/helm/template-command.ts';
import { ranOutOfStack } from '../engines/helm/template-errors.ts';
import { mergeUserValues } from '../engines/helm/user-values.ts';
import { errorMessage } from '../lib/errors.ts';
import type { FileTree } from '../lib/filetree.ts';
import { goQuote } from '../lib/goquote.ts';
import { createWorkerPool, RENDER_STACK_MB } from '../offload/pool.ts';
import type { DeepTemplateInput } from '../offload/render/template.ts';
import { systemTemplateHost } from '../offload/template-host.ts';
import { parseTemplateFlags, type TemplateFlags } from './helm-flags.ts';
import type { CliIo } from './io.ts';

/** Failures of these kinds come after the chart was loaded, where helm adds a hint. */
const RENDER_FAILURES: ReadonlySet<HelmErrorCode> = new Set([
  'KubeVersionMismatch',
  'TemplateFailed',
  'ManifestInvalid',
]);
const HINT = '\n\nUse --debug flag to render out invalid YAML';

/** Renders a chart on disk. Answers the exit code; a failure prints nothing on stdout. */
export async function helmTemplate(
  argv: readonly string[],
  io: Pick<CliIo, 'stdout' | 'stderr' | 'cwd'>,
): Promise<number> {
  const warnings = new Set<string>();
  try {
    const output = await template(parseTemplateFlags(argv), io.cwd, (warning) => warnings.add(warning));
    for (const warning of warnings) io.stderr(`${warning}\n`);
    io.stdout(encodeText(output));
    return 0;
  } catch (error) {
    for (const warning of warnings) io.stderr(`${warning}\n`);
    const hint = error instanceof HelmError && RENDER_FAILURES.has(error.code) ? HINT : '';
    io.stderr(encodeText(`Error: ${errorMessage(error)}${hint}\n`));
    return 1;
  }
}

async function template(flags: TemplateFlags, cwd: string, warn: (text: string) => void): Promise<string> {
  const { compat } = flags;
  const kubeVersion = readKubeVersion(flags);
  const [name, path] = nameAndChart(flags.args);
  const place = locateChart(path, cwd);
  const texts = new Map<string, string>();
  const values = mergeUserValues(flags, (file) => remember(texts, file, readText(file, cwd)), compat);
  const request: TemplateRequest = {
    chart: loadChart(path, place, { compat, warn }),
    release: { name, namespace: flags.namespace, isUpgrade: flags.isUpgrade },
    compat,
    capabilities: { kubeVersion, apiVersions: [...defaultApiVersions(compat), ...flags.apiVersions] },
    skipSchemaValidation: flags.skipSchemaValidation,
    output: flags,
  };
  try {
    return renderTemplateOutput(request, values, { host: systemTemplateHost, warn });
  } catch (error) {
    if (!ranOutOfStack(error)) throw error;
    return renderDeep({ request, flags, texts }, warn);
  }
}

/** Few charts nest their templates so deep that they need it, and a thread costs 100 ms. */
async function renderDeep(input: DeepTemplateInput, warn: (text: string) => void): Promise<string> {
  const pool = createWorkerPool({ threads: 1, resourceLimits: { stackSizeMb: RENDER_STACK_MB } });
  try {
    const { output, warnings } = await pool.run('renderDeepTemplate', input);
    for (const warning of warnings) warn(warning);
    return output;
  } finally {
    await pool.close();
  }
}

function remember(texts: Map<string, string>, path: string, text: string): string {
  texts.set(path, text);
  return text;
}

function readKubeVersion({ kubeVersion, compat }: TemplateFlags): ReturnType<typeof parseKubeVersion> {
  if (kubeVersion === '') return defaultKubeVersion(compat);
  try {
    return parseKubeVersion(kubeVersion, compat);
  } catch (error) {
    throw new HelmError('KubeVersionInvalid', `invalid kube version '${kubeVersion}': ${errorMessage(error)}`, {});
  }
}

function nameAndChart(args: readonly string[]): readonly [name: string, chart: string] {
  if (args.length === 0) {
    throw new Error('"helm template" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]');
  }
  if (args.length > 2) {
    throw new Error(`expected at most two arguments, unexpected arguments: ${args.slice(2).join(', ')}`);
  }
  const [first = '', second] = args;
  return second === undefined ? ['release-name', first] : [first, second];
}

function locateChart(path: string, cwd: string): string {
  const place = resolve(cwd, path.trim());
  if (statSync(place, { throwIfNoEntry: false }) !== undefined) return place;
  if (/^[./]/.test(path)) throw new HelmError('ChartInvalid', `path ${goQuote(path)} not found`, { path });
  if (/^[a-z]+:\/\//.test(path)) {
    throw new HelmError('ChartInvalid', `chart ${goQuote(path)} is not on disk, and this command fetches none`, {
      path,
    });
  }
  const text = path.includes('/')
    ? `repo ${path.split('/')[0]} not found`
    : `non-absolute URLs should be in form of repo_name/path_to_chart, got: ${path}`;
  throw new HelmError('ChartInvalid', text, { path });
}

function loadChart(path: string, place: string, options: { compat: Compat; warn: (text: string) => void }): Chart {
  if (statSync(place).isDirectory()) return loadChartFolder(wholeDisk(), place.replace(/^\/|\/$/g, ''), options);
  const data = readFileSync(place);
  if (data[0] === 0x1f && data[1] === 0x8b && data[2] === 0x08) return loadChartArchive(data, options);
  if (/\.ya?ml$/.test(path)) {
    throw new HelmError('ChartInvalid', `file '${place}' seems to be a YAML file, but expected a gzipped archive`, {
      path,
    });
  }
  // Helm sniffs 512 bytes; a shorter text ends in zeros there, which make it binary.
  const isText = data.length >= 512 && !/[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(data.toString('latin1', 0, 512));
  const type = isText ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  throw new HelmError('ChartInvalid', `file '${place}' does not appear to be a gzipped archive; got '${type}'`, {
    path,
  });
}

/** The whole file system as a tree, in which absolute links have a place like any other. */
function wholeDisk(): FileTree {
  const tree = createDiskTree('/');
  const readLink = (path: string) => {
    const target = tree.readLink(path);
    return target?.startsWith('/') ? posix.relative(`/${posix.dirname(path)}`, target) || '.' : target;
  };
  return { ...tree, readLink };
}

function readText(path: string, cwd: string): string {
  if (path.trim() === '-') throw new HelmError('ValuesInvalid', 'values from standard input are not read', { path });
  if (/^[a-z]+:\/\//.test(path))
    throw new HelmError('ValuesInvalid', `values file ${goQuote(path)} is not on disk`, { path });
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch (error) {
    throw new HelmError('ValuesInvalid', goFileError(path, error), { path }, { cause: error });
  }
}

/** The text of Go's os.ReadFile for the failures that people meet. */
function goFileError(path: string, error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `open ${path}: no such file or directory`;
    case 'ENOTDIR':
      return `open ${path}: not a directory`;
    case 'EACCES':
      return `open ${path}: permission denied`;
    case 'EISDIR':
      return `read ${path}: is a directory`;
    default:
      return errorMessage(error);
  }
}
