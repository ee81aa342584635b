// Owns the flags of `run`: its own, and those of Flux's source- and kustomize-controller under their names
// (flux.md §6.1), so that the arguments of their Deployments carry over. What they set is app/settings.ts.
import { type Command, Option } from 'commander';
import { defaultSourceLimits } from '../controllers/shared/source-ports.ts';
import { digestAlgorithms } from '../lib/digest.ts';
import {
  collect,
  parseChoice,
  parseDurationFlag,
  parseList,
  parseListenAddress,
  parsePort,
  parseReplicas,
  parseWhole,
  parseWorkers,
} from './arguments.ts';

const join = (text: string, before: string): string => (before === '' ? text : `${before},${text}`);
const percent = (text: string): number => parseWhole(text, 0, 99);
const count = (text: string): number => parseWhole(text, 0, 1_000_000);
const size = (text: string): number => parseWhole(text, 1, 2 ** 31 - 1);
const level = parseChoice(['silent', 'error', 'warn', 'info', 'debug', 'trace']);
const encoding = parseChoice(['json', 'console']);

/** Adds all of them to the command. */
export function addRunFlags(command: Command): void {
  addOwnFlags(command);
  addSharedFlags(command);
  addKustomizeFlags(command);
  addSourceFlags(command);
  addRefusedFlags(command);
}

function addOwnFlags(command: Command): void {
  command
    .option('--kubeconfig <file>', 'kubeconfig; the in-cluster configuration when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--state <dir>', 'folder for artifacts and Git objects', '.lockstep')
    .option('--http-port <port>', 'port of the web page and probes', parsePort, 0)
    .option('--internal-port <port>', 'port of artifacts, metrics and probes', parsePort, 0)
    .option('--listen <address>', 'address that the servers listen on', '127.0.0.1')
    .option('--namespace <name>', 'namespace of this process (RUNTIME_NAMESPACE, else flux-system)')
    .option('--legacy-revisions', 'revisions in status as main/<sha>', false)
    .option('--profiling', 'serve /debug/pprof/ beside the metrics, to this machine alone', false);
}

function addSharedFlags(command: Command): void {
  command
    .option('--concurrent <n>', 'workers of each controller', parseWorkers, 4)
    .option('--requeue-dependency <duration>', 'wait for dependencies', parseDurationFlag, 30_000)
    .option('--min-retry-delay <duration>', 'first wait of exponential back-off (750ms)', parseDurationFlag)
    .option('--max-retry-delay <duration>', 'longest wait of exponential back-off (15m)', parseDurationFlag)
    .option('--interval-jitter-percentage <n>', 'spread of intervals', percent, 5)
    .option(
      '--watch-all-namespaces <bool>',
      'false: only objects of --namespace',
      parseChoice(['true', 'false']),
      'true',
    )
    .option('--watch-label-selector <selector>', 'reconcile only these objects (sharding)')
    .option('--shards <n>', 'share all objects with so many replicas, this one included', parseReplicas)
    .option(
      '--watch-configs-label-selector <selector>',
      'ConfigMaps and Secrets whose change is seen at once (all that are named)',
    )
    .option('--events-addr <url>', 'post each event to this receiver, too')
    .option('--metrics-addr <address>', 'serve metrics here, too', parseListenAddress)
    .option('--health-addr <address>', 'serve probes here, too', parseListenAddress)
    .option('--feature-gates <list>', "Name=true,… of Flux's feature gates; repeatable", join, '')
    .option('--enable-leader-election', "take Flux's leases, so that only one process acts", false)
    .option('--leader-election-lease-duration <duration>', 'others wait so long (35s)', parseDurationFlag)
    .option(
      '--leader-election-renew-deadline <duration>',
      'a lease not renewed so long is lost (30s)',
      parseDurationFlag,
    )
    .option('--leader-election-retry-period <duration>', 'wait between attempts (5s)', parseDurationFlag)
    .option(
      '--leader-election-release-on-cancel <bool>',
      'give the leases back at the end',
      parseChoice(['true', 'false']),
      'true',
    )
    .option('--token-cache-max-size <n>', 'tokens that are kept (100)', count)
    .option('--token-cache-max-duration <duration>', 'how long at the most (1h)', parseDurationFlag)
    .option('--log-level <level>', 'silent, error, warn, info, debug or trace', level, 'info')
    .option('--log-encoding <form>', 'json or console', encoding, 'json')
    // Every API server that is supported limits requests itself, and Flux switches its own limits off then.
    .addOption(new Option('--kube-api-qps <n>', 'not used').hideHelp())
    .addOption(new Option('--kube-api-burst <n>', 'not used').hideHelp())
    // Indexes are kept on disk and read piece by piece: there is no cache of them to size.
    .addOption(new Option('--helm-cache-max-size <n>', 'not used').hideHelp())
    .addOption(new Option('--helm-cache-ttl <duration>', 'not used').hideHelp())
    .addOption(new Option('--helm-cache-purge-interval <duration>', 'not used').hideHelp())
    // Artifacts of this process are read from its disk.
    .addOption(new Option('--http-retry <n>', 'not used').hideHelp());
}

function addKustomizeFlags(command: Command): void {
  command
    .option('--concurrent-ssa <n>', 'dry-runs of one Kustomization at once', parseWorkers, 4)
    .option('--no-cross-namespace-refs', 'refuse sources of other namespaces')
    .option('--no-remote-bases', 'refuse kustomize bases that are fetched from elsewhere')
    .option('--default-service-account <name>', 'ServiceAccount to apply as where none is named')
    .option('--default-kubeconfig-service-account <name>', 'ServiceAccount for ConfigMaps of clusters that name none')
    .option(
      '--default-decryption-service-account <name>',
      'ServiceAccount for cloud key services, none of which is used',
    )
    .option('--override-manager <names>', 'field managers whose fields are taken over; repeatable', collect)
    .option(
      '--override-manager-before-dry-run <names>',
      'the same by their whole names, of objects whose dry-run they make fail; repeatable',
      collect,
    )
    .option('--custom-apply-stage-kinds <list>', 'group/Kind,… that are applied before the rest', parseList)
    .option('--sops-age-secret <name>', 'Secret of --namespace with age keys for those that name none')
    .option('--insecure-kubeconfig-tls', 'let kubeconfigs of Secrets leave certificates unchecked', false);
}

function addSourceFlags(command: Command): void {
  command
    .option('--storage-path <dir>', 'folder of the archives (STORAGE_PATH, else artifacts of --state)')
    .option('--storage-addr <address>', 'serve archives here, too (STORAGE_ADDRESS)', parseListenAddress)
    .option('--storage-adv-addr <address>', 'host and port that artifact URLs name (STORAGE_ADV_ADDR)')
    .option(
      '--artifact-retention-ttl <duration>',
      'how long archives stay that are not current',
      parseDurationFlag,
      60_000,
    )
    .option('--artifact-digest-algo <name>', 'sha256, sha384 or sha512', parseChoice(digestAlgorithms), 'sha256')
    .option('--artifact-retention-records <n>', 'how many stay, the current one included', count, 2)
    .option(
      '--helm-index-max-size <bytes>',
      'largest index of a repository of charts',
      size,
      defaultSourceLimits.indexBytes,
    )
    .option('--helm-chart-max-size <bytes>', 'largest archive of a chart', size, defaultSourceLimits.chartBytes)
    .option('--ssh-kex-algos <list>', 'key exchanges of SSH that are offered', parseList)
    .option('--ssh-hostkey-algos <list>', 'host key algorithms of SSH that are accepted', parseList);
}

/** Known to Flux and not to be had: they are read so that the refusal can name them. */
function addRefusedFlags(command: Command): void {
  command
    .addOption(new Option('--helm-chart-file-max-size <bytes>', 'refused').argParser(size).hideHelp())
    .addOption(new Option('--insecure-kubeconfig-exec', 'refused').default(false).hideHelp())
    .addOption(new Option('--sops-vault-configmap <name>', 'refused').hideHelp());
}

/** Flags that take no value here and may have one in Go. */
const BOOLEANS = new Set([
  '--legacy-revisions',
  '--profiling',
  '--enable-leader-election',
  '--no-cross-namespace-refs',
  '--no-remote-bases',
  '--insecure-kubeconfig-tls',
  '--insecure-kubeconfig-exec',
]);
const VALUED_BOOLEANS = new Set(['--watch-all-namespaces', '--leader-election-release-on-cancel']);

/** Arguments with booleans as commander takes them: `--flag=true` becomes `--flag`, `--flag=false` goes. */
export function withGoBooleans(argv: readonly string[]): string[] {
  return argv.flatMap((argument) => {
    if (VALUED_BOOLEANS.has(argument)) return [`${argument}=true`];
    const [name = '', value] = argument.split('=', 2);
    if (!BOOLEANS.has(name) || value === undefined) return [argument];
    if (value === 'true') return [name];
    return value === 'false' ? [] : [argument];
  });
}
