// Which Kustomizations a change of their source wakes.
import { describe, expect, it } from 'vitest';
import type { Kustomization } from '../../../../src/api/kustomize/kustomization.ts';
import { kustomizationWatches } from '../../../../src/controllers/kustomization/index.ts';

const source = (revision: string, url = 'http://one/a.tar.gz') => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { namespace: 'default', name: 'apps' },
  status: { artifact: { revision, url } },
});
const consumers = ['one', 'two'].map((name) => ({ metadata: { namespace: 'default', name } }) as Kustomization);

function woken(old: object, object: object): string[] {
  const [watch] = kustomizationWatches(['GitRepository']);
  const lookup = { byIndex: () => consumers, get: () => undefined, list: () => consumers };
  return [...watch!.keys({ type: 'update', object, old } as never, lookup)];
}

describe('a source that changed', () => {
  it('wakes its consumers with another revision, and with the address of the replica that has made it anew', () => {
    const all = ['default/one', 'default/two'];

    expect(woken(source('main@sha1:a'), source('main@sha1:b'))).toEqual(all);
    expect(woken(source('main@sha1:a'), source('main@sha1:a', 'http://two/a.tar.gz'))).toEqual(all);
    expect(woken(source('main@sha1:a'), source('main@sha1:a'))).toEqual([]);
  });
});
