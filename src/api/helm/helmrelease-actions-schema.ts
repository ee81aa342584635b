// Owns the schemas of what a HelmRelease says of Helm's actions: install, upgrade, rollback, test, uninstall
// (helm.md §21.1). The rest of the kind's schema is helmrelease-schema.ts.
import { boolean, duration, list, object, type Schema, string } from '../schema.ts';

export type SchemaVersion = 'v2' | 'v2beta2' | 'v2beta1';

/** A name as DNS allows it. */
export function name253(description: string): Schema {
  return string(description, { maxLength: 253, minLength: 1 });
}

/** The name of a namespace. */
export function namespace63(description: string): Schema {
  return string(description, { maxLength: 63, minLength: 1 });
}

const timeout = duration('How long the action may take; spec.timeout by default.');
const disableHooks = boolean('Run no hooks.');
const disableWait = boolean('Do not wait until the objects are healthy.');
const disableWaitForJobs = boolean('Do not wait until Jobs are complete.');
const crds = string('What to do with the CRDs of the chart: nothing, create those that are absent, replace.', {
  enum: ['Skip', 'Create', 'CreateReplace'],
});
const serverSideApply = string('Whether objects are applied on the server; auto keeps what the release began with.', {
  enum: ['enabled', 'disabled', 'auto'],
});
const number = (description: string): Schema => ({ description, type: 'integer' });

function remediation(strategies?: readonly string[]): Schema {
  return object('What to do after a failure.', {
    ignoreTestFailures: boolean('Take a failed test for no failure.'),
    remediateLastFailure: boolean('Remediate also when no retry is left.'),
    retries: number('How often to try again; negative for ever.'),
    ...(strategies === undefined
      ? {}
      : { strategy: string('What brings the last good state back.', { enum: [...strategies] }) }),
  });
}

function strategy(rule: string, message: string): Schema {
  return object(
    'Whether a failure is remediated or simply tried again.',
    {
      name: string('Name of the strategy.', { enum: ['RemediateOnFailure', 'RetryOnFailure'] }),
      retryInterval: duration('How soon a failure is tried again; 5m0s by default.'),
    },
    ['name'],
    { 'x-kubernetes-validations': [{ message, rule }] },
  );
}

/** Fields of install and upgrade that only v2 has. */
function newFields(
  version: SchemaVersion,
  own: { readonly [name: string]: Schema },
): { readonly [name: string]: Schema } {
  if (version !== 'v2') return {};
  return {
    disableSchemaValidation: boolean('Do not judge the values by the schema of the chart.'),
    disableTakeOwnership: boolean('Refuse objects that are there and belong to nobody or another release.'),
    ...own,
  };
}

export function install(version: SchemaVersion): Schema {
  return object('How the release is installed.', {
    crds,
    createNamespace: boolean('Create targetNamespace when it is not there.'),
    disableHooks,
    disableOpenAPIValidation: boolean('Send objects without strict validation of their fields.'),
    disableWait,
    disableWaitForJobs,
    remediation: remediation(),
    replace: boolean('Use the name of an uninstalled or failed release again.'),
    skipCRDs: boolean('Leave CRDs out. Deprecated: use crds.'),
    timeout,
    ...newFields(version, {
      serverSideApply: boolean('Apply objects on the server.'),
      strategy: strategy(
        "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
        ".retryInterval cannot be set when .name is 'RemediateOnFailure'",
      ),
    }),
  });
}

export function upgrade(version: SchemaVersion): Schema {
  return object('How the release is upgraded.', {
    cleanupOnFail: boolean('Delete what a failed upgrade has created.'),
    crds,
    disableHooks,
    disableOpenAPIValidation: boolean('Send objects without strict validation of their fields.'),
    disableWait,
    disableWaitForJobs,
    force: boolean('Replace objects rather than change them.'),
    preserveValues: boolean('Lay the values over those of the last release.'),
    remediation: remediation(['rollback', 'uninstall']),
    timeout,
    ...newFields(version, {
      chartNameChangeStrategy: string('What another chart name means: uninstall first, or upgrade.', {
        enum: ['InPlaceUpdate', 'Reinstall'],
      }),
      serverSideApply,
      strategy: strategy(
        "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
        ".retryInterval can only be set when .name is 'RetryOnFailure'",
      ),
    }),
  });
}

export function rollback(version: SchemaVersion): Schema {
  return object('How the release is rolled back.', {
    cleanupOnFail: boolean('Delete what a failed rollback has created.'),
    disableHooks,
    disableWait,
    disableWaitForJobs,
    force: boolean('Replace objects rather than change them.'),
    recreate: boolean('Without effect.'),
    timeout,
    ...(version === 'v2' ? { serverSideApply } : {}),
  });
}

export function test(version: SchemaVersion): Schema {
  const filter = object(
    'One test hook.',
    { exclude: boolean('Leave the test out rather than in.'), name: name253('Name of the hook.') },
    ['name'],
  );
  return object('How the release is tested.', {
    enable: boolean('Run the tests after each install and upgrade.'),
    ...(version === 'v2beta1' ? {} : { filters: list('Tests to run; all by default.', filter) }),
    ignoreFailures: boolean('Do not remediate when a test fails.'),
    timeout,
  });
}

export function uninstall(): Schema {
  return object('How the release is uninstalled.', {
    deletionPropagation: string('What becomes of what the objects own.', {
      default: 'background',
      enum: ['background', 'foreground', 'orphan'],
    }),
    disableHooks,
    disableWait: boolean('Do not wait until the objects are gone.'),
    keepHistory: boolean('Keep the stored revisions.'),
    timeout,
  });
}
