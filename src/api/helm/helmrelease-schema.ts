// Owns the OpenAPI schemas of the HelmRelease kind, in its three versions (helm.md §21.1, §21.6, §21.9). Types and
// reasons are helmrelease.ts; the parts below install, upgrade and their like are helmrelease-actions-schema.ts.
import {
  commonMetadata,
  images,
  kubeConfig,
  objectSelector,
  patches,
  patchesStrategicMerge,
  unknownFields,
} from '../applier-schema.ts';
import {
  boolean,
  dateTime,
  duration,
  integer,
  list,
  localReference,
  object,
  reconciledStatus,
  type Schema,
  string,
  stringMap,
  topLevel,
} from '../schema.ts';
import {
  install,
  name253,
  namespace63,
  rollback,
  type SchemaVersion,
  test,
  uninstall,
  upgrade,
} from './helmrelease-actions-schema.ts';

function chart(version: SchemaVersion): Schema {
  const providers = version === 'v2beta1' ? ['cosign'] : ['cosign', 'notation'];
  const verify = object(
    'How the signature of a chart from an OCI repository is checked.',
    {
      provider: string('Tool that signed the chart.', { default: 'cosign', enum: providers }),
      secretRef: localReference('Secret with the trusted public keys.'),
    },
    ['provider'],
  );
  const sourceRef = object(
    'Where the chart is.',
    {
      apiVersion: string('API version of the referent.'),
      kind: string('Kind of the referent.', { enum: ['HelmRepository', 'GitRepository', 'Bucket'] }),
      name: name253('Name of the referent.'),
      namespace: namespace63('Namespace of the referent; that of the HelmRelease by default.'),
    },
    ['kind', 'name'],
  );
  const spec = object(
    'The HelmChart to make.',
    {
      chart: string('Name of the chart in a HelmRepository, or its path in another source.', {
        maxLength: 2048,
        minLength: 1,
      }),
      ...(version === 'v2beta1'
        ? {}
        : { ignoreMissingValuesFiles: boolean('Pass over values files that are not there.') }),
      interval: duration('How often the source is looked at; that of the HelmRelease by default.'),
      reconcileStrategy: string('What makes a new artifact: a new chart version, or any new revision.', {
        default: 'ChartVersion',
        enum: ['ChartVersion', 'Revision'],
      }),
      sourceRef,
      ...(version === 'v2'
        ? {}
        : { valuesFile: string('One values file, before valuesFiles. Deprecated: valuesFiles has it too.') }),
      valuesFiles: list('Values files that become values.yaml of the chart, later ones winning.', { type: 'string' }),
      verify,
      version: string('Version or range of versions; the highest is taken. Only for charts of a HelmRepository.', {
        default: '*',
      }),
    },
    ['chart', 'sourceRef'],
  );
  const metadata = object('Metadata for the HelmChart.', {
    annotations: stringMap('Annotations to set.'),
    labels: stringMap('Labels to set.'),
  });
  return object('The HelmChart that is made for this release.', { metadata, spec }, ['spec']);
}

const chartRef = object(
  'An artifact that holds the chart, in place of chart.',
  {
    apiVersion: string('API version of the referent.'),
    kind: string('Kind of the referent.', { enum: ['OCIRepository', 'HelmChart', 'ExternalArtifact'] }),
    name: name253('Name of the referent.'),
    namespace: namespace63('Namespace of the referent; that of the HelmRelease by default.'),
  },
  ['kind', 'name'],
);

const oldPatches: { readonly [name: string]: Schema } = {
  patchesJson6902: list('JSON 6902 patches. Deprecated: use patches.', { type: 'object', ...unknownFields }),
  patchesStrategicMerge,
};

function postRenderers(version: SchemaVersion): Schema {
  const kustomize = object('Kustomize as post-renderer.', {
    images,
    patches: patches('Patches, strategic merge or JSON 6902.'),
    ...(version === 'v2' ? {} : oldPatches),
  });
  return list(
    'What changes the rendered objects before they are applied, in order.',
    object('One post-renderer.', { kustomize }),
  );
}

const dependsOn = list(
  'HelmReleases that must be ready first.',
  object(
    'One HelmRelease.',
    {
      name: string('Name of the referent.'),
      namespace: string('Namespace of the referent; that of the HelmRelease by default.'),
      readyExpr: string('CEL expression over self and dep that takes the place of the check of Ready.'),
    },
    ['name'],
  ),
);

const driftDetection = object('What to do when the objects of the release are changed by others.', {
  ignore: list(
    'Fields that may differ.',
    object(
      'One rule.',
      {
        paths: list('JSON pointers; an empty one leaves the whole object alone.', { type: 'string' }),
        target: objectSelector,
      },
      ['paths'],
    ),
  ),
  mode: string('Put changes back, only tell of them, or do not look.', { enum: ['enabled', 'warn', 'disabled'] }),
});

const healthCheckExprs = list(
  'How the health of kinds is judged that say it in their own way.',
  object(
    'The expressions of one kind.',
    {
      apiVersion: string('API version of the kind.'),
      current: string('CEL expression that holds when the object is as it should be.'),
      failed: string('CEL expression that holds when the object has failed.'),
      inProgress: string('CEL expression that holds while the object is on its way.'),
      kind: string('Kind.'),
    },
    ['apiVersion', 'current'],
  ),
);

const valuesFrom = list(
  'ConfigMaps and Secrets with values; later ones win, and values wins over all.',
  object(
    'One source of values.',
    {
      kind: string('Kind of the referent.', { enum: ['Secret', 'ConfigMap'] }),
      literal: boolean('Take the value at targetPath as it is, without the syntax of --set.'),
      name: name253('Name of the referent.'),
      optional: boolean('Go on when the object or the key is not there.'),
      targetPath: string('Place of the one value in the values; without it the value is a YAML document.', {
        maxLength: 250,
        pattern: '^([a-zA-Z0-9_\\-.\\\\\\/]|\\[[0-9]{1,5}\\])+$',
      }),
      valuesKey: string('Key of the referent; values.yaml by default.', {
        maxLength: 253,
        pattern: '^[\\-._a-zA-Z0-9]+$',
      }),
    },
    ['kind', 'name'],
  ),
);

function spec(version: SchemaVersion): Schema {
  const isNew = version === 'v2';
  return object(
    'What is to be released, and how.',
    {
      chart: chart(version),
      chartRef,
      ...(isNew
        ? {
            commonMetadata,
            healthCheckExprs,
            postRenderStrategy: string('Whether post-renderers see hooks: not, with the objects, or by themselves.', {
              enum: ['nohooks', 'combined', 'separate'],
            }),
            waitStrategy: object(
              'How the health of objects is waited for.',
              { name: string('By status of every kind, or as Helm 3 did.', { enum: ['poller', 'legacy'] }) },
              ['name'],
            ),
          }
        : {}),
      dependsOn,
      driftDetection,
      install: install(version),
      interval: duration('How often the release is looked at.'),
      kubeConfig: kubeConfig(
        'The cluster to release to, when it is another one.',
        'ConfigMap that says how to reach the cluster.',
      ),
      maxHistory: { description: 'Revisions that Helm keeps; 0 keeps all.', type: 'integer' },
      persistentClient: boolean('Keep one client for all actions of a pass.'),
      postRenderers: postRenderers(version),
      releaseName: string('Name of the release.', { maxLength: 53, minLength: 1 }),
      rollback: rollback(version),
      serviceAccountName: name253('ServiceAccount of the same namespace in whose name everything is done.'),
      storageNamespace: namespace63('Namespace of the stored release; that of the HelmRelease by default.'),
      suspend: boolean('Stop reconciling; what is released stays.'),
      targetNamespace: namespace63('Namespace to release to; that of the HelmRelease by default.'),
      test: test(version),
      timeout: duration('How long an action of Helm may take; 5m0s by default.'),
      uninstall: uninstall(),
      upgrade: upgrade(version),
      values: { description: 'Values of the release.', ...unknownFields },
      valuesFrom,
    },
    ['interval'],
    {
      'x-kubernetes-validations': [
        {
          message: 'either chart or chartRef must be set',
          rule: '(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))',
        },
      ],
    },
  );
}

const snapshot = object(
  'One revision of the release as it was seen.',
  {
    action: string('What made the revision.'),
    apiVersion: string('Form of this entry and of its digest.'),
    appVersion: string('Version of what the chart installs.'),
    chartName: string('Name of the chart.'),
    chartVersion: string('Version of the chart.'),
    configDigest: string('Digest of the values.'),
    deleted: dateTime('When the release was uninstalled.'),
    digest: string('Digest of the stored release.'),
    firstDeployed: dateTime('When the release was installed.'),
    lastDeployed: dateTime('When this revision was made.'),
    name: string('Name of the release.'),
    namespace: string('Namespace of the release.'),
    ociDigest: string('Digest of the OCI artifact that the chart came from.'),
    status: string('Status of the release.'),
    testHooks: {
      description: 'What came of the tests, by name.',
      type: 'object',
      additionalProperties: object('One test.', {
        lastCompleted: dateTime('When the test ended.'),
        lastStarted: dateTime('When the test began.'),
        phase: string('How the test came out.'),
      }),
    },
    version: { description: 'Revision, counted from 1.', type: 'integer' },
  },
  [
    'chartName',
    'chartVersion',
    'configDigest',
    'digest',
    'firstDeployed',
    'lastDeployed',
    'name',
    'namespace',
    'status',
    'version',
  ],
);

const inventory = object(
  'Objects of the release.',
  {
    entries: list(
      'One entry for each object.',
      object(
        'One object.',
        { id: string('Namespace, name, group and kind, joined by _.'), v: string('API version.') },
        ['id', 'v'],
      ),
    ),
  },
  ['entries'],
);

const status = reconciledStatus('What was seen and done.', {
  failures: integer('Failures since the last success or change.'),
  helmChart: string('The HelmChart made for the release, as namespace/name.'),
  history: list('Revisions of the release, newest first.', snapshot),
  installFailures: integer('Failed installs that left a revision.'),
  inventory,
  lastAppliedRevision: string('Version of the chart that was released last. Deprecated: see history.'),
  lastAttemptedConfigDigest: string('Digest of the values that were tried last.'),
  lastAttemptedGeneration: integer('Generation that was tried last.'),
  lastAttemptedReleaseAction: string('What was tried last.', { enum: ['install', 'upgrade'] }),
  lastAttemptedReleaseActionDuration: string('How long that took.'),
  lastAttemptedRevision: string('Version of the chart that was tried last.'),
  lastAttemptedRevisionDigest: string('Digest of the OCI artifact that was tried last.'),
  lastAttemptedValuesChecksum: string('SHA-1 of the values that were tried last. Deprecated.'),
  lastHandledForceAt: string('Value of the force annotation that was handled last.'),
  lastHandledResetAt: string('Value of the reset annotation that was handled last.'),
  lastReleaseRevision: { description: 'Revision of the last release. Deprecated.', type: 'integer' },
  observedCommonMetadataDigest: string('Digest of commonMetadata at the last release.'),
  observedPostRenderersDigest: string('Digest of postRenderers at the last release.'),
  storageNamespace: namespace63('Namespace where the release is stored.'),
  upgradeFailures: integer('Failed upgrades that left a revision.'),
});

/** The schema of one version. All are stored as v2, whose fields hold what the older ones say. */
export function helmReleaseSchema(version: SchemaVersion): Schema {
  return topLevel('A release of a Helm chart: installed, upgraded, tested, rolled back.', spec(version), status);
}
