// Owns transcripts of kubectl: a text of commands and what they print, run again and compared. A line `$ kubectl …` is
// a command (with NAME=value before it for its environment), the lines behind it are its stdout, `! ` marks stderr, and
// `[n]` is an exit code other than 0. What differs from run to run is made equal before the comparison. `AGAIN=1` before a
// command asks again until it prints what stands there: for what other controllers do than the one that was waited for.
import { diverges } from './divergences.ts';
import type { Kubectl, Output } from './kubectl.ts';
import { until } from './reconciler.ts';

export interface Step {
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** The command as written. */
  readonly line: string;
  /** What it prints, in the form of the transcript. */
  readonly output: string;
}

export interface Session {
  /** The comment lines at the top. */
  readonly title: string;
  readonly steps: readonly Step[];
}

export function parseSession(text: string): Session {
  const [head = '', ...commands] = `\n${text}`.split(/\n\$ /);
  const steps = commands.map((block) => {
    const [line = '', ...output] = block.split('\n');
    const words = splitWords(line);
    const start = words.indexOf('kubectl');
    if (start < 0) throw new Error(`not a kubectl command: ${line}`);
    const env = Object.fromEntries(words.slice(0, start).map((word) => splitAt(word, '=')));
    return { env, args: words.slice(start + 1), line, output: output.join('\n').trimEnd() };
  });
  return { title: head.trim(), steps };
}

export function formatSession({ title, steps }: Session): string {
  const blocks = steps.map(({ line, output }) => (output === '' ? `$ ${line}` : `$ ${line}\n${output}`));
  return `${title}\n${blocks.join('\n')}\n`;
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Splits as a shell does, for plain words and both kinds of quotes. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  for (const match of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
    words.push(match[0].replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
  }
  return words;
}

/** A bound on hanging, as other suites have it. */
const AGAIN_MS = 45_000;
/** A wait for a definition, and its group. */
const ESTABLISHED = /--for=condition=Established crd\/[^.]+\.(\S+)/;

/**
 * Runs the steps in order. Returns the session with what was printed now; it ends at the first step that exits
 * otherwise than it did, as the next ones would only wait for what cannot come.
 */
export async function runSession(
  session: Session,
  kubectl: Kubectl,
  names: Readonly<Record<string, string>>,
): Promise<Session> {
  const steps: Step[] = [];
  const isRecording = process.env['UPDATE_CASES'] === '1';
  for (const step of session.steps) {
    const end = performance.now() + (step.env['AGAIN'] === undefined || isRecording ? 0 : AGAIN_MS);
    let output = await runStep(step, kubectl, names);
    while (output !== step.output && performance.now() < end) output = await runStep(step, kubectl, names);
    steps.push({ ...step, output });
    const group = ESTABLISHED.exec(step.line)?.[1];
    if (group !== undefined) await untilDiscovered(kubectl, group);
    if (exitOf(output) !== exitOf(step.output) && !isRecording) break;
  }
  return { ...session, steps };
}

/** Runs a command; answers what it prints, in the form of the transcript. */
async function runStep({ args, env }: Step, kubectl: Kubectl, names: Readonly<Record<string, string>>) {
  const answer = await kubectl.run(args, { env: { ...env } });
  const output = formatOutput(args[0] === 'api-versions' ? withoutCustom(answer) : answer, names);
  return args[0] === 'explain' && diverges('explain-prose') ? withoutProse(output) : output;
}

/** Commands go by discovery, where a definition comes a moment after it says that it is established. */
async function untilDiscovered(kubectl: Kubectl, group: string): Promise<void> {
  await until(`${group} in discovery`, async () => {
    const found = await kubectl.run(['api-resources', '--api-group', group, '--output', 'name']);
    const described = await kubectl.run(['get', '--raw', '/openapi/v3']);
    return found.stdout !== '' && described.stdout.includes(`apis/${group}/`);
  });
}

/** Other suites may have kinds of their own on the same server. */
function withoutCustom({ stdout, ...rest }: Output): Output {
  const isBuiltIn = (line: string) => !line.includes('.') || /\.k8s\.io\//.test(line);
  return { ...rest, stdout: stdout.split('\n').filter(isBuiltIn).join('\n') };
}

function formatOutput({ code, stdout, stderr }: Output, names: Readonly<Record<string, string>>): string {
  const complaints = inOrder(
    stderr
      .trimEnd()
      .split('\n')
      .filter((line) => line !== ''),
  );
  const text = [stdout.trimEnd(), ...complaints.map((line) => `! ${line}`), code === 0 ? '' : `[${code}]`];
  return normalise(text.filter((part) => part !== '').join('\n'), names);
}

/** The exit code that ends a step's output. */
function exitOf(output: string): string {
  return /^\[\d+\]$/m.exec(output)?.[0] ?? '[0]';
}

/** What remains of explain are kind, fields, types and enums. */
function withoutProse(output: string): string {
  let inEnum = false;
  return output
    .split('\n')
    .filter((line) => {
      inEnum = line === 'ENUM:' || (inEnum && line !== '');
      return inEnum || !line.startsWith(' ') || line.includes('\t') || line.trimStart().startsWith('enum: ');
    })
    .filter((line) => line !== '')
    .join('\n');
}

/** A custom resource's faults come in the order of a Go map, which is chance. */
function inOrder(lines: readonly string[]): string[] {
  const isFault = (line: string) => /^\* \S+: /.test(line);
  const faults = lines.filter(isFault).sort();
  return lines.map((line) => (isFault(line) ? (faults.shift() ?? line) : line));
}

const SAFE = '[bcdfghjklmnpqrstvwxz2456789]';

/** What is another in every run, and what stands in its place. The order counts. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME'],
  [/(resourceVersion"?: "?)\d+/g, '$1RV'],
  [/-----BEGIN CERTIFICATE[^"]*/g, 'PEM'],
  [/containerd:\/\/[0-9a-f]{64}/g, 'containerd://ID'],
  [/(Resource Version: +)\d+/g, '$1RV'],
  [/\b10\.\d+\.\d+\.\d+\b/g, 'IP'],
  [/\bnode-\d\b/g, 'NODE'],
  // The fake kubelet of the real cluster has another name than ours.
  [/\bkwok_controller\b/g, 'kubelet'],
  // How often a rollout is looked at before it is done is chance.
  [/^Waiting for .*\n/gm, ''],
  [new RegExp(`-${SAFE}{6,10}-${SAFE}{5}\\b`, 'g'), '-HASH-RAND'],
  [new RegExp(`-${SAFE}{8,10}\\b`, 'g'), '-HASH'],
  [new RegExp(`((?:template-hash|revision-hash|kubernetes.io/hash)"?[=:] ?"?)${SAFE}{5,}`, 'g'), '$1HASH'],
  [new RegExp(`\\b(kube-api-access|agent|good|wrong|manual|web)-${SAFE}{5}\\b`, 'g'), '$1-RAND'],
  [/(?<=\s|^|\()(\d+[smhd])+(?=\s|$|\))/gm, 'AGE'],
  [/\/tmp\/(LIVE|MERGED)-\d+/g, '/tmp/$1'],
  [/^diff -u -N .*$/gm, 'diff'],
  [/^(---|\+\+\+) .*$/gm, '$1'],
  // Columns are as wide as what stands in them; indentation stays.
  [/(?<=\S) {2,}/g, '  '],
  [/-{3,}/g, '---'],
  [/[ \t]+$/gm, ''],
];

/** Makes equal what is another in every run: ids, times, addresses, generated names. `names` maps texts of this run. */
export function normalise(text: string, names: Readonly<Record<string, string>>): string {
  let out = text;
  for (const [name, placeholder] of Object.entries(names)) out = out.replaceAll(name, placeholder);
  for (const [pattern, placeholder] of CHANGING) out = out.replace(pattern, placeholder);
  return out;
}
