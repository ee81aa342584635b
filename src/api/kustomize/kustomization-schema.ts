// Owns the OpenAPI schemas of the Kustomization kind, in both versions. Types and reasons are kustomization.ts.
import {
  commonMetadata,
  images,
  kubeConfig,
  kubeConfigSecret,
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

const healthChecks = list(
  'Objects of the cluster that must be healthy; not used with wait.',
  object(
    'One object.',
    {
      apiVersion: string('API version of the object; apps/v1 when not given.'),
      kind: string('Kind of the object.'),
      name: string('Name of the object.'),
      namespace: string('Namespace of the object.'),
    },
    ['kind', 'name'],
  ),
);

/** Kept in v1 too, so that a v1beta2 manifest does not lose them in storage (a difference from Flux). */
const oldPatches = {
  patchesJson6902: list(
    'JSON 6902 patches. Deprecated: use patches.',
    object(
      'A patch and its target.',
      {
        patch: list(
          'Operations in order.',
          object(
            'One operation.',
            {
              from: string('JSON pointer of the source of move and copy.'),
              op: string('What to do.', { enum: ['test', 'remove', 'add', 'replace', 'move', 'copy'] }),
              path: string('JSON pointer of the target.'),
              value: { description: 'The value of add, replace and test.', ...unknownFields },
            },
            ['op', 'path'],
          ),
        ),
        target: objectSelector,
      },
      ['patch', 'target'],
    ),
  ),
  patchesStrategicMerge,
};

const common = {
  commonMetadata,
  components: list('Folders of kustomize components to add, relative to path.', { type: 'string' }),
  force: boolean('Recreate objects whose immutable fields change.', { default: false }),
  healthChecks,
  images,
  interval: duration('How often the whole state is put right.'),
  patches: patches('Patches, strategic merge or JSON 6902, after those of the file.'),
  path: string('Folder in the source; its root by default.'),
  prune: boolean('Delete objects that left the source.'),
  retryInterval: duration('How long to wait after a failure; interval by default.'),
  serviceAccountName: string('ServiceAccount of the same namespace in whose name objects are applied and pruned.'),
  suspend: boolean('Stop reconciling; what is applied stays.'),
  targetNamespace: string('Namespace for all namespaced objects.', { maxLength: 63, minLength: 1 }),
  timeout: duration('How long validation, apply and health checks may take; interval less 30s by default.'),
  wait: boolean('Wait until every applied object is healthy.'),
  ...oldPatches,
};

function postBuild(withStrategy: boolean): Schema {
  const strategy = {
    substituteStrategy: string('Whether objects are substituted when there is no variable at all.', {
      enum: ['WithVariables', 'Always'],
    }),
  };
  return object('Steps after the build.', {
    substitute: stringMap('Variables and their values; they win over substituteFrom.'),
    substituteFrom: list(
      'ConfigMaps and Secrets whose keys are variables; later ones win.',
      object(
        'One of them.',
        {
          kind: string('Kind of the referent.', { enum: ['Secret', 'ConfigMap'] }),
          name: string('Name of the referent, in the same namespace.', { maxLength: 253, minLength: 1 }),
          optional: boolean('Go on without it when it is absent.', { default: false }),
        },
        ['kind', 'name'],
      ),
    ),
    ...(withStrategy ? strategy : {}),
  });
}

function sourceRef(kinds: readonly string[]): Schema {
  return object(
    'The source of the manifests.',
    {
      apiVersion: string('API version of the source; not used.'),
      kind: string('Kind of the source.', { enum: [...kinds] }),
      name: string('Name of the source.'),
      namespace: string('Namespace of the source; that of the Kustomization by default.'),
    },
    ['kind', 'name'],
  );
}

function dependsOn(withExpression: boolean): Schema {
  return list(
    'Kustomizations that must be ready first.',
    object(
      'One of them.',
      {
        name: string('Its name.'),
        namespace: string('Its namespace; the same by default.'),
        ...(withExpression ? { readyExpr: string('CEL expression over self and dep that decides instead.') } : {}),
      },
      ['name'],
    ),
  );
}

const specV1 = object(
  'What to apply, and how.',
  {
    ...common,
    buildMetadata: list('Kinds of metadata that the build records in annotations.', {
      type: 'string',
      enum: ['originAnnotations', 'transformerAnnotations'],
    }),
    decryption: object(
      'How to decrypt Secrets.',
      {
        provider: string('The tool that encrypted them.', { enum: ['sops'] }),
        secretRef: localReference('Secret with the private keys.'),
        serviceAccountName: string('ServiceAccount whose cloud identity decrypts.'),
      },
      ['provider'],
    ),
    deletionPolicy: string('What becomes of the objects when the Kustomization is deleted.', {
      enum: ['MirrorPrune', 'Delete', 'WaitForTermination', 'Orphan'],
    }),
    dependsOn: dependsOn(true),
    healthCheckExprs: list(
      'Health of custom resources in CEL.',
      object(
        'Expressions for one kind.',
        {
          apiVersion: string('API version; only the group counts.'),
          current: string('True when the object is healthy.'),
          failed: string('True when the object has failed.'),
          inProgress: string('True while the object is on its way.'),
          kind: string('Kind; the whole group when not given.'),
        },
        ['apiVersion', 'current'],
      ),
    ),
    ignore: list(
      'Fields whose drift is left alone.',
      object('One rule.', { paths: list('JSON pointers.', { type: 'string' }), target: objectSelector }, ['paths']),
    ),
    ignoreMissingComponents: boolean('Leave out components whose folder is absent.'),
    kubeConfig: kubeConfig(
      'The cluster to apply to, when it is not this one.',
      'ConfigMap that describes a cluster reached by a cloud identity.',
    ),
    namePrefix: string('Put before the name of every object.', { maxLength: 200, minLength: 1 }),
    nameSuffix: string('Put after the name of every object.', { maxLength: 200, minLength: 1 }),
    postBuild: postBuild(true),
    sourceRef: sourceRef(['OCIRepository', 'GitRepository', 'Bucket', 'ExternalArtifact']),
  },
  ['interval', 'prune', 'sourceRef'],
);

const specV1Beta2 = object(
  'What to apply, and how.',
  {
    ...common,
    decryption: object(
      'How to decrypt Secrets.',
      {
        provider: string('The tool that encrypted them.', { enum: ['sops'] }),
        secretRef: localReference('Secret with the private keys.'),
      },
      ['provider'],
    ),
    dependsOn: dependsOn(false),
    kubeConfig: object('The cluster to apply to, when it is not this one.', { secretRef: kubeConfigSecret }),
    postBuild: postBuild(false),
    sourceRef: sourceRef(['OCIRepository', 'GitRepository', 'Bucket']),
    validation: string('Not used.', { enum: ['none', 'client', 'server'] }),
  },
  ['interval', 'prune', 'sourceRef'],
);

const history = list(
  'What was applied, newest first, at most five.',
  object(
    'One content and outcome.',
    {
      digest: string('SHA-256 of the built manifests.'),
      firstReconciled: dateTime('When this content came to this outcome first.'),
      lastReconciled: dateTime('When it did last.'),
      lastReconciledDuration: string('How long the last pass took.'),
      lastReconciledStatus: string('The outcome.'),
      metadata: stringMap('The revision, and what else is known of it.'),
      totalReconciliations: integer('How often it did.'),
    },
    [
      'digest',
      'firstReconciled',
      'lastReconciled',
      'lastReconciledDuration',
      'lastReconciledStatus',
      'totalReconciliations',
    ],
  ),
);

const statusFields = {
  inventory: object(
    'The objects that belong to this Kustomization.',
    {
      entries: list(
        'One for each object.',
        object(
          'An object.',
          { id: string('namespace_name_group_kind of the object.'), v: string('API version of the object.') },
          ['id', 'v'],
        ),
      ),
    },
    ['entries'],
  ),
  lastAppliedRevision: string('The revision that was applied last with success.'),
  lastAttemptedRevision: string('The revision that was tried last.'),
};

const what = 'What was applied, and how it is.';

const description = 'Manifests of a source that are built, applied, watched and pruned together.';

export const kustomizationSchemaV1 = topLevel(
  description,
  specV1,
  reconciledStatus(what, {
    ...statusFields,
    history,
    lastAppliedOriginRevision: string('The origin revision of the revision that was applied last.'),
  }),
);

export const kustomizationSchemaV1Beta2 = topLevel(description, specV1Beta2, reconciledStatus(what, statusFields));
