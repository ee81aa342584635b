import { describe, expect, it } from 'vitest';
import { fieldPaths, missingFields, unionFields } from '../../../src/objects/managed-fields.ts';
import { formatObjectId, type Manifest, withMetadata } from '../../../src/objects/manifest.ts';
import { normalizeForApply } from '../../../src/objects/normalize.ts';
import { toManifests } from '../../../src/objects/parse.ts';
import { applyExclusion, hasPolicy, pruneExclusion } from '../../../src/objects/policy.ts';

const object = (extra: object = {}, metadata: object = {}): Manifest =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', ...metadata }, ...extra }) as Manifest;

describe('manifests', () => {
  it('are named with their namespace, if they have one', () => {
    expect(formatObjectId({ kind: 'Deployment', namespace: 'a', name: 'web' })).toBe('Deployment/a/web');
    expect(formatObjectId({ kind: 'Namespace', namespace: '', name: 'web' })).toBe('Namespace/web');
  });

  it('come out of lists; what is no object is dropped', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [object(), { kind: 'ConfigMap' }] };
    const file = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', metadata: { name: 'k' } };

    expect(toManifests([list as never, file as never, null, 'text'])).toEqual([object()]);
  });

  it('take labels without changing the input, whatever the key', () => {
    const before = object({}, { labels: { a: '1' } });

    const after = withMetadata(before, { labels: { constructor: 'x' } });

    expect(after.metadata['labels']).toEqual({ a: '1', constructor: 'x' });
    expect(before.metadata['labels']).toEqual({ a: '1' });
  });
});

describe('policies', () => {
  const key = 'kustomize.toolkit.fluxcd.io/reconcile';

  it('count as label or annotation, without case; an empty value never matches', () => {
    expect(hasPolicy(object({}, { labels: { [key]: 'Disabled' } }), key, 'disabled')).toBe(true);
    expect(hasPolicy(object({}, { annotations: { [key]: 'disabled' } }), key, 'disabled')).toBe(true);
    expect(hasPolicy(object({}, { annotations: { [key]: '' } }), key, '')).toBe(false);
  });

  it.each([
    ['reconcile', 'disabled', 'reconcile: disabled'],
    ['ssa', 'Ignore', 'ssa: Ignore'],
    ['ssa', 'IfNotPresent', 'ssa: IfNotPresent'],
  ])('%s: %s keeps a live object from being applied', (name, value, because) => {
    const desired = object({}, { annotations: { [`kustomize.toolkit.fluxcd.io/${name}`]: value } });

    expect(applyExclusion(desired, object())).toBe(because);
  });

  it('creates what is not there under IfNotPresent', () => {
    const desired = object({}, { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' } });

    expect(applyExclusion(desired, undefined)).toBeUndefined();
  });

  it('prune: disabled keeps a live object', () => {
    expect(pruneExclusion(object({}, { labels: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } }))).toBe(
      'prune: disabled',
    );
    expect(pruneExclusion(object())).toBeUndefined();
  });
});

describe('normalizeForApply', () => {
  it('drops what the server owns', () => {
    const sent = normalizeForApply(
      object({ status: { a: 1 } }, { creationTimestamp: null, managedFields: [], uid: 'u', resourceVersion: '1' }),
    );

    expect(sent).toEqual(object());
  });

  it('keeps the status of a CustomResourceDefinition', () => {
    const crd = { ...object({ status: { a: 1 } }), kind: 'CustomResourceDefinition' };

    expect(normalizeForApply(crd)['status']).toEqual({ a: 1 });
  });

  it("puts a Secret's stringData into data, over what is there", () => {
    const secret = { ...object({ stringData: { a: 'ä' }, data: { a: 'eA==', b: 'eQ==' } }), kind: 'Secret' };

    expect(normalizeForApply(secret)).toEqual({ ...object({ data: { a: 'w6Q=', b: 'eQ==' } }), kind: 'Secret' });
  });

  it('names the protocol of ports, which is part of their key', () => {
    const service = { ...object({ spec: { ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }] } }), kind: 'Service' };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x' },
      spec: { template: { spec: { containers: [{ name: 'a', ports: [{ containerPort: 80 }] }, { name: 'b' }] } } },
    } as unknown as Manifest;

    expect(normalizeForApply(service)['spec']).toEqual({
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    });
    expect(normalizeForApply(deployment)['spec']).toEqual({
      template: {
        spec: { containers: [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }, { name: 'b' }] },
      },
    });
  });
});

describe('managed fields', () => {
  it('are joined without changing the inputs', () => {
    const a = { 'f:spec': { 'f:a': {} } };

    expect(unionFields(a, { 'f:spec': { 'f:b': {} } })).toEqual({ 'f:spec': { 'f:a': {}, 'f:b': {} } });
    expect(a).toEqual({ 'f:spec': { 'f:a': {} } });
  });

  it('are told as paths that people read', () => {
    const fields = {
      'f:metadata': { 'f:labels': { '.': {}, 'f:a.b/c': {} } },
      'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {} } }, 'f:set': { 'v:"x"': {} } },
    };

    expect(fieldPaths(fields)).toEqual([
      '.metadata.labels["a.b/c"]',
      '.spec.containers[name="web"].image',
      '.spec.set["x"]',
    ]);
    expect(missingFields(fields, { 'f:spec': { 'f:replicas': {} } })).toEqual(['.spec.replicas']);
  });
});
