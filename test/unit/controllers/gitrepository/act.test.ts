// What the doing of a GitRepository says when an include that was there at the decision is there no more.
import { describe, expect, it } from 'vitest';
import type { GitRepository } from '../../../../src/api/source/gitrepository.ts';
import { act } from '../../../../src/controllers/gitrepository/act.ts';
import type { GitRepositoryPorts } from '../../../../src/controllers/gitrepository/ports.ts';
import type { Decision } from '../../../../src/controllers/gitrepository/types.ts';
import { HostGate } from '../../../../src/controllers/shared/host-gate.ts';
import type { Pass } from '../../../../src/runtime/controller.ts';
import { FakeClock } from '../../../support/clock.ts';

const artifact = { path: 'gitrepository/ns/lib/1.tar.gz', url: '', revision: 'main@sha1:1', lastUpdateTime: '' };
const object = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'app', namespace: 'ns' },
  spec: { interval: '1m', url: 'https://git.example/app.git' },
} as GitRepository;

describe('act', () => {
  it('says which include is stored no more', async () => {
    const storage = {
      fetch: async () => ({ recipe: {}, missingFolder: undefined }),
      hasArchive: async () => false,
      recipeOf: () => undefined,
    };
    const ports = { storage, hosts: new HostGate({ clock: new FakeClock(), perHost: 1 }) };
    const pass: Partial<Pass<GitRepository>> = {
      key: 'ns/app',
      signal: new AbortController().signal,
      current: () => object,
      aside: (wait) => wait(),
    };
    const decision = {
      do: 'fetch',
      resolved: { commit: '2' },
      verify: false,
      includes: [{ name: 'lib', artifact, fromPath: 'a', toPath: 'b' }],
    };

    const failing = act(
      decision as unknown as Decision,
      ports as unknown as GitRepositoryPorts,
      pass as Pass<GitRepository>,
    );

    await expect(failing).rejects.toMatchObject({
      reason: 'CopyFailure',
      condition: 'StorageOperationFailed',
      message: "failed to copy 'lib' include from a to b: not stored",
    });
  });
});
