import { describe, expect, it } from 'vitest';
import { defaultFeatureGates, parseFeatureGates } from '../../../../src/controllers/shared/feature-gates.ts';

describe('feature gates', () => {
  it('keep their defaults where nothing is said', () => {
    expect(parseFeatureGates('')).toEqual(defaultFeatureGates);
    expect(defaultFeatureGates.StrictPostBuildSubstitutions).toBe(true);
    expect(defaultFeatureGates.ExternalArtifact).toBe(false);
  });

  it('are read as Flux reads them', () => {
    expect(parseFeatureGates('ExternalArtifact=true, StrictPostBuildSubstitutions=F')).toEqual({
      ...defaultFeatureGates,
      ExternalArtifact: true,
      StrictPostBuildSubstitutions: false,
    });
  });

  it.each([
    ['NoSuchGate=true', "feature-gate 'NoSuchGate' not supported"],
    ['__proto__=true', "feature-gate '__proto__' not supported"],
    ['ExternalArtifact', 'missing bool value for ExternalArtifact'],
    ['ExternalArtifact=perhaps', 'invalid value of ExternalArtifact: "perhaps", err: it is no bool'],
    [
      'DirectSourceFetch=true',
      "feature-gate 'DirectSourceFetch=true' not supported: sources are read from the watch that wakes the pass",
    ],
    [
      'CancelHealthCheckOnNewRevision=false',
      "feature-gate 'CancelHealthCheckOnNewRevision=false' not supported: a new revision always ends a wait for health",
    ],
  ])('refuse %s by name', (text, message) => {
    expect(() => parseFeatureGates(text)).toThrow(message);
  });
});
