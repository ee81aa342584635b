// Generated manifests are what their sources say, and the CRDs have the schemas that Flux's users rely on.
import { describe, expect, it } from 'vitest';
import { generatedManifests } from '../support/generated-manifests.ts';
import { readProjectFile } from '../support/source-files.ts';

describe('manifests', () => {
  it.each([...generatedManifests()])('%s is up to date (npm run generate)', (path, text) => {
    expect(readProjectFile(path)).toBe(text);
  });
});
