// Flags of `run`: those of Flux's controllers carry over, with their defaults and environment (flux.md §6.1, §6.2).
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type RunOptions, toSettings } from '../../../src/cli/run.ts';
import { addRunFlags, withGoBooleans } from '../../../src/cli/run-flags.ts';
import { defaultFeatureGates } from '../../../src/controllers/shared/feature-gates.ts';
import { readProjectFile } from '../../support/source-files.ts';

function parse(args: readonly string[], env: Record<string, string> = {}) {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addRunFlags(command);
  command.parse(withGoBooleans(args), { from: 'user' });
  return { options: command.opts<RunOptions>(), settings: toSettings(command.opts(), { cwd: '/work', env }) };
}

describe('run', () => {
  it("has Flux's defaults", () => {
    const { settings, options } = parse([]);

    expect(settings).toMatchObject({
      gates: defaultFeatureGates,
      concurrent: 4,
      concurrentSsa: 4,
      noCrossNamespaceRefs: false,
      noRemoteBases: false,
      intervalJitterPercent: 5,
      requeueDependencyMs: 30_000,
      artifactRetention: { ttlMs: 60_000, records: 2 },
      leaseGivesBack: true,
    });
    expect(settings.watchNamespace).toBeUndefined();
    expect(settings.leaderElectionNamespace).toBeUndefined();
    expect(options).toMatchObject({ logLevel: 'info', logEncoding: 'json' });
  });

  it('takes the proxies of the environment, as Go does', () => {
    const { settings } = parse([], { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://q:2', no_proxy: '10.0.0.0/8' });

    expect(settings.environmentProxy).toEqual({ http: '', https: 'http://p:1', none: '10.0.0.0/8' });
  });

  it("takes the arguments of Flux's Deployments", () => {
    const { settings } = parse([
      '--events-addr=http://notification-controller.flux-system.svc.cluster.local./',
      '--watch-all-namespaces=false',
      '--log-level=debug',
      '--log-encoding=console',
      '--enable-leader-election',
      '--storage-path=/data',
      '--storage-adv-addr=source-controller.flux-system.svc.cluster.local.',
      '--no-cross-namespace-refs=true',
      '--no-remote-bases=false',
      '--default-service-account=default',
      '--override-manager=rancher',
      '--override-manager=argocd,helm',
      '--override-manager-before-dry-run=legacy',
      '--custom-apply-stage-kinds=rbac.authorization.k8s.io/Role,/ConfigMap',
      '--feature-gates=ExternalArtifact=true',
      '--feature-gates=DisableFailFastBehavior=true',
      '--requeue-dependency=5s',
      '--min-retry-delay=1s',
      '--max-retry-delay=2m',
      '--watch-label-selector=sharding.fluxcd.io/key=shard1',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      '--metrics-addr=:8080',
      '--health-addr=[::1]:9440',
      '--artifact-retention-ttl=5m',
      '--artifact-retention-records=3',
      '--ssh-kex-algos=curve25519-sha256',
      '--http-retry=9',
      '--artifact-digest-algo=sha512',
      '--helm-index-max-size=1000',
      '--helm-cache-ttl=15m',
    ]);

    expect(settings).toMatchObject({
      eventsUrl: 'http://notification-controller.flux-system.svc.cluster.local./',
      watchNamespace: 'flux-system',
      leaderElectionNamespace: 'flux-system',
      storagePath: '/data',
      noCrossNamespaceRefs: true,
      noRemoteBases: false,
      defaultServiceAccount: 'default',
      overrideManagers: ['rancher', 'argocd', 'helm'],
      overrideManagersBeforeDryRun: ['legacy'],
      customApplyStageKinds: ['rbac.authorization.k8s.io/Role', '/ConfigMap'],
      gates: { ...defaultFeatureGates, ExternalArtifact: true, DisableFailFastBehavior: true },
      artifactDigestAlgorithm: 'sha512',
      requeueDependencyMs: 5_000,
      minRetryDelayMs: 1_000,
      maxRetryDelayMs: 120_000,
      watchLabelSelector: 'sharding.fluxcd.io/key=shard1',
      metricsAddress: { listen: '0.0.0.0', port: 8080 },
      healthAddress: { listen: '::1', port: 9440 },
      artifactRetention: { ttlMs: 300_000, records: 3 },
      sourceLimits: { indexBytes: 1_000, chartBytes: 10_485_760 },
      sshKexAlgorithms: ['curve25519-sha256'],
    });
  });

  it('reads the environment where Flux does, flags first', () => {
    const env = { RUNTIME_NAMESPACE: 'gitops', STORAGE_PATH: '/env', STORAGE_ADDRESS: ':9090' };

    expect(parse(['--enable-leader-election', '--sops-age-secret=age'], env).settings).toMatchObject({
      leaderElectionNamespace: 'gitops',
      sopsAgeSecret: { namespace: 'gitops', name: 'age' },
      storagePath: '/env',
      storageAddress: { listen: '0.0.0.0', port: 9090 },
    });
    expect(parse(['--storage-path=here', '--namespace=own'], env).settings).toMatchObject({
      storagePath: '/work/here',
    });
  });

  it.each([
    [['--insecure-kubeconfig-exec'], '--insecure-kubeconfig-exec is not supported'],
    [['--sops-vault-configmap=vaults'], '--sops-vault-configmap is not supported'],
    [['--artifact-digest-algo=blake3'], 'expected one of sha256, sha384, sha512'],
    [['--helm-chart-file-max-size=1'], '--helm-chart-file-max-size is not supported'],
    [['--feature-gates=Nope=true'], "feature-gate 'Nope' not supported"],
    [
      ['--default-kubeconfig-service-account=sa'],
      'cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is not enabled',
    ],
    [['--events-addr=ftp://x'], "--events-addr: 'ftp://x' is no http or https URL"],
    [['--custom-apply-stage-kinds=Role'], "--custom-apply-stage-kinds: 'Role' is no group/Kind"],
    [['--requeue-dependency=-1s'], 'expected a duration'],
    [['--interval-jitter-percentage=100'], 'expected a whole number from 0 to 99'],
    [['--metrics-addr=8080'], 'expected an address'],
    [['--log-level=loud'], 'expected one of'],
    [['--no-such-flag'], "unknown option '--no-such-flag'"],
    [['--no-remote-bases=perhaps'], "unknown option '--no-remote-bases=perhaps'"],
  ])('refuses %j', (args, message) => {
    expect(() => parse(args)).toThrow(message);
  });
});

describe('the page of the flags', () => {
  const page = readProjectFile('src/cli/README.md');
  const named = (pattern: RegExp) => [...page.matchAll(pattern)].map((match) => match[1]!);

  it('names each flag of `run`, and none that there is not', () => {
    const command = new Command();
    addRunFlags(command);
    const flags = command.options.map(({ long }) => long!);
    const others = ['--flag', '--persistent'];

    const told = new Set(named(/`(--[a-z-]+)`/g).filter((flag) => !others.includes(flag)));
    expect([...told].sort()).toEqual(flags.sort());
  });

  it('names each feature gate', () => {
    for (const gate of Object.keys(defaultFeatureGates)) expect(page).toContain(`\`${gate}\``);
  });

  describe('--shards', () => {
    it('shares the objects with replicas whose Leases are in the namespace of the process', () => {
      expect(parse([]).settings.shards).toBeUndefined();
      expect(parse(['--shards=3', '--namespace=gitops']).settings.shards).toEqual({ count: 3, namespace: 'gitops' });
    });

    it.each(['0', '-1', '1.5', '33', 'three', ''])("refuses '%s'", (text) => {
      expect(() => parse([`--shards=${text}`])).toThrow('expected a whole number from 1 to 32');
    });

    it('refuses a label selector beside it', () => {
      expect(() => parse(['--shards=2', '--watch-label-selector=team=a'])).toThrow(
        '--shards and --watch-label-selector exclude each other: either of them divides the objects',
      );
    });

    it.each([
      ['--leader-election-renew-deadline=35s'],
      ['--leader-election-lease-duration=20s'],
      ['--leader-election-retry-period=16s'],
      ['--leader-election-retry-period=0s'],
      [
        '--leader-election-lease-duration=900ms --leader-election-renew-deadline=500ms --leader-election-retry-period=9ms',
      ],
    ])('refuses times by which two replicas could act at once: %s', (flags) => {
      expect(() => parse(['--shards=2', ...flags.split(' ')])).toThrow('--shards: --leader-election-retry-period must');
    });

    it('needs to know its address when it listens on all', () => {
      const args = ['--shards=2', '--listen=0.0.0.0'];

      expect(() => parse(args)).toThrow('--shards needs --storage-adv-addr');
      expect(parse(args, { STORAGE_ADV_ADDR: 'pod-0:9090' }).settings.shards?.count).toBe(2);
      expect(parse([...args, '--storage-adv-addr=pod-0:9090']).settings.shards?.count).toBe(2);
    });
  });
});
