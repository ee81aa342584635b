import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { digestRelease, digestValues } from '../../../../../src/engines/helm/release/digest.ts';
import { decodeRelease, encodeRelease } from '../../../../../src/engines/helm/release/encode.ts';
import {
  type ChartRecord,
  hooksOf,
  isPending,
  type ReleaseRecord,
  withStatus,
} from '../../../../../src/engines/helm/release/record.ts';
import {
  createdAtOf,
  fromReleaseSecret,
  releaseSecretName,
  revisionOf,
  toReleaseSecret,
} from '../../../../../src/engines/helm/release/secret.ts';
import { toReleaseChart } from '../../../../../src/engines/helm/release-chart.ts';
import type { JsonObject } from '../../../../../src/lib/json.ts';
import { chartOf } from '../charts.ts';

const release: ReleaseRecord = {
  name: 'web',
  namespace: 'default',
  version: 3,
  info: {
    first_deployed: '2026-11-21T10:00:00Z',
    last_deployed: '2026-11-21T11:00:00.5Z',
    description: 'Upgrade complete',
    status: 'deployed',
    notes: 'a < b',
  },
  chart: toReleaseChart(chartOf({ 'values.yaml': 'replicas: 2\n', 'templates/a.yaml': 'kind: <A>\n' })) as ChartRecord,
  config: { replicas: 3, __proto__x: { constructor: 1 } },
  manifest: '---\n# Source: c/templates/a.yaml\nkind: A\n',
  hooks: [
    { name: 'b', kind: 'Job', path: 'c/b', manifest: 'b', events: ['pre-install'], last_run: { phase: '' }, weight: 1 },
    { name: 'z', kind: 'Job', path: 'c/z', manifest: 'z', events: ['pre-install'], last_run: { phase: '' } },
    { name: 'a', kind: 'Pod', path: 'c/a', manifest: 'a', events: ['test'], last_run: { phase: 'Succeeded' } },
  ],
  apply_method: 'ssa',
  labels: { team: 'a' },
};

describe('a stored release', () => {
  it('is read as it was written', () => {
    expect(decodeRelease(encodeRelease(release), release.labels)).toEqual(release);
  });

  it('is read when it was stored without compression, and with the zero times of Helm 3', () => {
    const text = JSON.stringify({
      name: 'old',
      info: { status: 'deployed', deleted: '', first_deployed: '0001-01-01T00:00:00Z' },
      chart: null,
      hooks: [{ name: 'h', last_run: { started_at: '', completed_at: '', phase: '' } }],
      version: 1,
    });

    const read = decodeRelease(Buffer.from(text).toString('base64'));

    expect(read).toMatchObject({ name: 'old', info: { status: 'deployed' }, config: {}, namespace: '' });
    expect(read.info).not.toHaveProperty('deleted');
    expect(read.info).not.toHaveProperty('first_deployed');
    expect(read.hooks[0]!.last_run).toEqual({ phase: '' });
  });

  it.each([
    ['no JSON', Buffer.from('{').toString('base64')],
    ['cut compression', gzipSync('{}').subarray(0, 8).toString('base64')],
    ['a list', Buffer.from('[]').toString('base64')],
  ])('is refused when it is %s', (_, text) => {
    expect(() => decodeRelease(text)).toThrow(expect.objectContaining({ code: 'ReleaseInvalid' }));
  });

  it('lies in a Secret that Helm finds by its labels', () => {
    const secret = toReleaseSecret(release, 'store', { createdAt: '1' });

    expect(secret['metadata']).toEqual({
      name: 'sh.helm.release.v1.web.v3',
      namespace: 'store',
      labels: { team: 'a', name: 'web', owner: 'helm', status: 'deployed', version: '3', createdAt: '1' },
    });
    expect(secret['type']).toBe('helm.sh/release.v1');
    expect(fromReleaseSecret(secret)).toEqual(release);
    expect(revisionOf(secret)).toEqual({ name: 'web', version: 3, status: 'deployed' });
    expect(createdAtOf(secret)).toEqual({ createdAt: '1' });
    expect(releaseSecretName('a', 1)).toBe('sh.helm.release.v1.a.v1');
  });

  it('is refused when it does not fit into a Secret', () => {
    const noise = Array.from({ length: 40_000 }, (_, i) => createHash('sha256').update(`${i}`).digest('base64'));
    const large = { ...release, manifest: noise.join('') };

    expect(() => toReleaseSecret(large, 'store', {})).toThrow(expect.objectContaining({ code: 'ReleaseInvalid' }));
  });

  it('is no release when the Secret is another one', () => {
    expect(revisionOf({ metadata: { labels: { name: 'web' } } } as JsonObject)).toBeUndefined();
    expect(() => fromReleaseSecret({ data: {} } as JsonObject)).toThrow('holds no release');
  });
});

describe('a release', () => {
  it('runs its hooks by weight, then name', () => {
    expect(hooksOf(release, 'pre-install').map((hook) => hook.name)).toEqual(['z', 'b']);
  });

  it('is pending in the statuses of actions that are under way', () => {
    expect(isPending('pending-upgrade')).toBe(true);
    expect(isPending('uninstalling')).toBe(false);
    expect(withStatus(release, 'failed', 'why').info).toMatchObject({ status: 'failed', description: 'why' });
  });
});

describe('digests', () => {
  it('stay the same after a release was stored and read', () => {
    expect(digestRelease(decodeRelease(encodeRelease(release)))).toBe(digestRelease(release));
  });

  it('do not change with runs of tests, and do with anything else', () => {
    const tested = release.hooks.map((hook) => ({ ...hook, last_run: { phase: 'Failed' as const } }));

    expect(digestRelease({ ...release, hooks: [...release.hooks.slice(0, 2), tested[2]!] })).toBe(
      digestRelease(release),
    );
    expect(digestRelease({ ...release, hooks: tested })).not.toBe(digestRelease(release));
    expect(digestRelease(withStatus(release, 'failed'))).not.toBe(digestRelease(release));
    expect(digestRelease(release, 'sha256:1')).not.toBe(digestRelease(release));
  });

  it('of no values is that of nothing', () => {
    expect(digestValues({})).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(digestValues({ b: 1, a: { d: 1, c: 2 } })).toBe(digestValues({ a: { c: 2, d: 1 }, b: 1 }));
  });
});
