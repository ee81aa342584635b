// Owns the feature gates of Flux's controllers: their names, defaults, and which values are not to be had here
// (flux.md §6.2). Reading them is pure; what each does is where it is used.
import { CodedError } from '../../lib/errors.ts';

/** Code `FeatureGateInvalid`: an unknown gate, a value that is none, or one that is refused. */
export class FeatureGateError extends CodedError<'FeatureGateInvalid', { readonly gate: string }> {}

interface Gate {
  readonly default: boolean;
  /** The value that is refused, and why. */
  readonly refused?: { readonly value: boolean; readonly why: string };
}

const gates = {
  // What a spec names is always followed by watching: the gate has nothing left to change.
  CacheSecretsAndConfigMaps: { default: false },
  ObjectLevelWorkloadIdentity: { default: false },
  StrictPostBuildSubstitutions: { default: true },
  // Health is judged from watches: there is no poller.
  DisableStatusPollerCache: { default: true },
  DisableFailFastBehavior: { default: false },
  GroupChangeLog: { default: false },
  AdditiveCELDependencyCheck: { default: false },
  ExternalArtifact: { default: false },
  CancelHealthCheckOnNewRevision: {
    default: true,
    refused: { value: false, why: 'a new revision always ends a wait for health' },
  },
  DisableConfigWatchers: { default: false },
  DirectSourceFetch: {
    default: false,
    refused: { value: true, why: 'sources are read from the watch that wakes the pass' },
  },
  MigrateAPIVersion: { default: false },
  DisableCommitStatusEvent: { default: false },
  DisableChartDigestTracking: { default: false },
  AllowDNSLookups: { default: false, refused: { value: true, why: 'templates ask no name server' } },
  OOMWatch: { default: false, refused: { value: true, why: 'a render has a bound on its memory of its own' } },
  UseHelm3Defaults: { default: false, refused: { value: true, why: "Helm 4's defaults are the only ones" } },
  DefaultToRetryOnFailure: {
    default: false,
    refused: { value: true, why: 'say strategy.name: RetryOnFailure where it is wanted' },
  },
} as const satisfies Readonly<Record<string, Gate>>;

export type FeatureGate = keyof typeof gates;
export type FeatureGates = Readonly<Record<FeatureGate, boolean>>;

/** Every gate at its default. */
export const defaultFeatureGates: FeatureGates = Object.freeze(
  Object.fromEntries(Object.entries(gates).map(([name, gate]) => [name, gate.default])) as Record<FeatureGate, boolean>,
);

/** Reads `Name=true,Other=false`; what is not named keeps its default. Throws FeatureGateError with Flux's words. */
export function parseFeatureGates(text: string): FeatureGates {
  const result: Record<FeatureGate, boolean> = { ...defaultFeatureGates };
  for (const part of text.split(',').map((item) => item.trim())) {
    if (part === '') continue;
    const [name = '', value] = part.split('=', 2).map((item) => item.trim());
    if (!Object.hasOwn(gates, name)) throw invalid(name, `feature-gate '${name}' not supported`);
    const enabled = parseBoolean(name, value);
    const gate: Gate = gates[name as FeatureGate];
    if (gate.refused?.value === enabled) {
      throw invalid(name, `feature-gate '${name}=${enabled}' not supported: ${gate.refused.why}`);
    }
    result[name as FeatureGate] = enabled;
  }
  return result;
}

function parseBoolean(name: string, value: string | undefined): boolean {
  if (value === undefined) throw invalid(name, `missing bool value for ${name}`);
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(name, `invalid value of ${name}: ${JSON.stringify(value)}, err: it is no bool`);
}

function invalid(gate: string, message: string): FeatureGateError {
  return new FeatureGateError('FeatureGateInvalid', message, { gate });
}
