// Owns what a chart can ask about the cluster: Kubernetes version and API versions, by default those that an offline
// Helm assumes. Reading them from a live cluster is the caller's business.
import { goQuote } from '../../lib/goquote.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';

/** A Kubernetes version as charts see it. */
export interface KubeVersion {
  /** With its `v`, e.g. `v1.36.3`. */
  readonly version: string;
  readonly major: string;
  readonly minor: string;
  /** Helm 4: the version without vendor suffix, for constraints; otherwise the same. */
  readonly normalized: string;
}

/** `.Capabilities`, as plain data. */
export interface Capabilities {
  readonly kubeVersion: KubeVersion;
  /** `group/version`, or `group/version/Kind` when asked from a cluster. */
  readonly apiVersions: readonly string[];
}

/**
 * Reads a Kubernetes version leniently: two or more numbers, whatever follows is dropped (Helm 4 keeps it for display).
 * Throws HelmError `KubeVersionInvalid` with the text of Kubernetes' own parser.
 */
export function parseKubeVersion(text: string, compat: Compat = 'helm3'): KubeVersion {
  const match = /^[\t\n\f\r ]*v?([0-9]+(?:\.[0-9]+)*)[^\n]*$/.exec(text);
  const problem = (message: string) => new HelmError('KubeVersionInvalid', message, {});
  if (match === null) throw problem(`could not parse ${goQuote(text)} as version`);
  const components = match[1]!.split('.');
  if (components.length < 2) throw problem(`illegal version string ${goQuote(text)}`);
  const [major = ''] = components;
  if (major.startsWith('0') && major !== '0') {
    throw problem(`illegal zero-prefixed version component ${goQuote(major)} in ${goQuote(text)}`);
  }
  const numbers = components.map((component) => {
    const value = BigInt(component);
    if (value < 2n ** 64n) return value.toString();
    const cause = `strconv.ParseUint: parsing ${goQuote(component)}: value out of range`;
    throw problem(`illegal non-numeric version component ${goQuote(component)} in ${goQuote(text)}: ${cause}`);
  });
  const normalized = `v${numbers.join('.')}`;
  const shown = text.startsWith('v') ? text : `v${text}`;
  return { version: compat === 'helm4' ? shown : normalized, normalized, major: numbers[0]!, minor: numbers[1]! };
}

/** What Helm assumes without a cluster: the Kubernetes release that its client library belongs to. */
export function defaultKubeVersion(compat: Compat): KubeVersion {
  // client-go v0.37 in Helm 3.22, v0.36 in Helm 4.2.
  return parseKubeVersion(compat === 'helm3' ? 'v1.37.0' : 'v1.36.0', compat);
}

const SCHEDULING = { helm3: ['v1alpha3', 'v1beta1', 'v1'], helm4: ['v1alpha2', 'v1beta1', 'v1'] };
const STORAGE_MIGRATION = { helm3: ['v1', 'v1beta1'], helm4: ['v1beta1'] };

/** The API versions that Helm assumes without a cluster, in its order; kinds are not among them. */
export function defaultApiVersions(compat: Compat): string[] {
  const groups: (readonly [string, readonly string[]])[] = [
    ['admissionregistration.k8s.io', ['v1', 'v1alpha1', 'v1beta1']],
    ['internal.apiserver.k8s.io', ['v1alpha1']],
    ['apps', ['v1', 'v1beta1', 'v1beta2']],
    ['authentication.k8s.io', ['v1', 'v1alpha1', 'v1beta1']],
    ['authorization.k8s.io', ['v1', 'v1beta1']],
    ['autoscaling', ['v1', 'v2']],
    ['batch', ['v1', 'v1beta1']],
    ['certificates.k8s.io', ['v1', 'v1beta1', 'v1alpha1']],
    ['coordination.k8s.io', ['v1alpha2', 'v1beta1', 'v1']],
    ['discovery.k8s.io', ['v1', 'v1beta1']],
    ['events.k8s.io', ['v1', 'v1beta1']],
    ['extensions', ['v1beta1']],
    ['flowcontrol.apiserver.k8s.io', ['v1', 'v1beta1', 'v1beta2', 'v1beta3']],
    ['lifecycle.k8s.io', compat === 'helm3' ? ['v1alpha1'] : []],
    ['networking.k8s.io', ['v1', 'v1beta1']],
    ['node.k8s.io', ['v1', 'v1alpha1', 'v1beta1']],
    ['policy', ['v1', 'v1beta1']],
    ['rbac.authorization.k8s.io', ['v1', 'v1beta1', 'v1alpha1']],
    ['resource.k8s.io', ['v1', 'v1beta2', 'v1beta1', 'v1alpha3']],
    ['scheduling.k8s.io', SCHEDULING[compat]],
    ['storage.k8s.io', ['v1beta1', 'v1', 'v1alpha1']],
    ['storagemigration.k8s.io', STORAGE_MIGRATION[compat]],
    ['apiextensions.k8s.io', ['v1beta1', 'v1']],
  ];
  return ['v1', ...groups.flatMap(([group, versions]) => versions.map((version) => `${group}/${version}`))];
}
