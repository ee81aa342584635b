// Owns the command tree. What a command does is its own file; it is imported only when it runs.
import { Command, CommanderError } from 'commander';
import { errorMessage } from '../lib/errors.ts';
import { parseChoice, parsePort, parseReplicas } from './arguments.ts';
import { type CliIo, processIo } from './io.ts';
import { addRunFlags, withGoBooleans } from './run-flags.ts';
import { listenForSignals } from './signals.ts';
import { version } from './version.ts';

/** Runs the command line and answers the exit code. */
export async function runCli(argv: readonly string[], io: CliIo = processIo): Promise<number> {
  // These two speak like the tools that they stand for, refusals of options included.
  if (argv[0] === 'kustomize' && argv[1] === 'build') {
    return (await import('./kustomize-build.ts')).runKustomizeBuild(argv.slice(2), io);
  }
  if (argv[0] === 'helm' && argv[1] === 'template') {
    return (await import('./helm.ts')).helmTemplate(argv.slice(2), io);
  }
  let exitCode = 0;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv[0] === 'run' ? withGoBooleans(argv) : [...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    io.stderr(`Error: ${errorMessage(error)}\n`);
    return 1;
  }
}

function createProgram(io: CliIo, exit: (code: number) => void): Command {
  const program = new Command('lockstep')
    .description('A GitOps reconciler for Kubernetes in one process')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr });
  addUp(program, io, exit);
  addSandbox(program, io, exit);
  addRun(program, io, exit);
  addInstall(program, io);
  program.command('kustomize').description('kustomize build DIR: what `kustomize build` prints').command('build');
  program.command('helm').description('helm template NAME CHART: what `helm template` prints').command('template');
  return program;
}

/** A command that runs until it is asked to end. Signals are heard before its code is loaded. */
function ending<Options>(
  exit: (code: number) => void,
  run: (options: Options, ending: AbortSignal) => Promise<number>,
) {
  return async (options: Options): Promise<void> => {
    const signal = listenForSignals();
    exit(await run(options, signal));
  };
}

function addUp(program: Command, io: CliIo, exit: (code: number) => void): void {
  program
    .command('up')
    .description('embedded API server, Git server and reconciler in one process, with a demo')
    .option('--state <dir>', 'folder that everything is kept in', '.lockstep')
    .option('--api-port <port>', 'port of the API server', parsePort)
    .option('--git-port <port>', 'port of the Git server', parsePort)
    .option('--http-port <port>', 'port of the web page and probes', parsePort)
    .option('--internal-port <port>', 'port of artifacts, metrics and probes', parsePort)
    .option('--listen <address>', 'address that all servers listen on', '127.0.0.1')
    .option('--empty', 'without the demo', false)
    .option('--ephemeral', 'forget everything at the end', false)
    .option('--legacy-revisions', 'revisions in status as main/<sha>', false)
    .option('--log-level <level>', 'silent, error, warn, info or debug', parseLevel, 'warn')
    .action(ending(exit, async (options, signal) => (await import('./up.ts')).up(options, io, signal)));
}

function addSandbox(program: Command, io: CliIo, exit: (code: number) => void): void {
  program
    .command('sandbox')
    .description('embedded API server and Git server only')
    .option('--state <dir>', 'folder that everything is kept in', '.lockstep')
    .option('--api-port <port>', 'port of the API server', parsePort)
    .option('--git-port <port>', 'port of the Git server', parsePort)
    .option('--listen <address>', 'address that both servers listen on', '127.0.0.1')
    .option('--ephemeral', 'forget everything at the end', false)
    .action(ending(exit, async (options, signal) => (await import('./up.ts')).sandbox(options, io, signal)));
}

function addRun(program: Command, io: CliIo, exit: (code: number) => void): void {
  const command = program
    .command('run')
    .description('the reconciler against any cluster')
    .action(ending(exit, async (options, signal) => (await import('./run.ts')).run(options, io, signal)));
  addRunFlags(command);
}

function addInstall(program: Command, io: CliIo): void {
  program
    .command('install')
    .description('print the manifests for a real cluster')
    .option('--crds', 'only the CustomResourceDefinitions', false)
    .option('--image <ref>', 'container image', `ghcr.io/lockstep/lockstep:${version}`)
    .option('--rbac <rights>', 'cluster-admin or tenant', parseChoice(['cluster-admin', 'tenant']), 'cluster-admin')
    .option('--persistent', 'keep the state on a PersistentVolumeClaim', false)
    .option('--shards <n>', 'so many replicas that share all objects, in place of one', parseReplicas)
    .action(async (options) => (await import('./install.ts')).install(options, io));
}

const parseLevel = parseChoice(['silent', 'error', 'warn', 'info', 'debug']);
