import { describe, expect, it } from 'vitest';
import type { WriteRequest } from '../../../../src/sandbox/core.ts';
import type { KubeObject, ObjectMeta } from '../../../../src/sandbox/object.ts';
import { dropRepeatedOwners, objectWarnings } from '../../../../src/sandbox/rest/warnings.ts';

function writeTo(group: string, kind: string, custom = false): WriteRequest {
  return { resource: { group, kind, custom }, subresource: '' } as unknown as WriteRequest;
}

function object(metadata: Partial<ObjectMeta>): KubeObject {
  return { apiVersion: 'v1', kind: 'Any', metadata: { name: 'a', ...metadata } };
}

describe('warnings of an object', () => {
  it('tell when the names of its pods will be no host names, at its creation', () => {
    const dotted = object({ name: 'a.b' });

    const says = (kind: string, live?: KubeObject) =>
      objectWarnings(writeTo(kind === 'Pod' ? '' : 'apps', kind), dotted, live);

    expect(says('Deployment')).toEqual([
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    ]);
    expect(says('Pod')[0]).toContain("this is used in the Pod's hostname");
    expect(says('Deployment', dotted)).toEqual([]);
    expect(says('ControllerRevision')).toEqual([]);
  });

  it('tell of new finalizers of a custom resource that have no domain', () => {
    const write = writeTo('x.dev', 'Thing', true);
    const before = object({ finalizers: ['old'] });
    const after = object({ finalizers: ['old', 'plain', 'x.dev', 'x.dev/y', 'orphan'] });

    const warnings = objectWarnings(write, after, before);

    expect(warnings.map((text) => text.slice(0, 70))).toEqual([
      'metadata.finalizers: "plain": prefer a domain-qualified finalizer name',
      'metadata.finalizers: "x.dev": prefer a domain-qualified finalizer name',
    ]);
    expect(warnings[1]).toContain('including a path (/)');
  });
});

describe('owners that are named twice', () => {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' };

  it('are named once, and a warning says so', () => {
    const metadata: ObjectMeta = { name: 'a', ownerReferences: [owner, { ...owner, uid: 'v' }, owner] };

    const [warning] = dropRepeatedOwners(metadata);

    expect(metadata.ownerReferences).toEqual([owner, { ...owner, uid: 'v' }]);
    expect(warning).toMatch(/duplicate UID\(s\) observed: u$/);
  });

  it('are the only reason to touch the metadata', () => {
    const metadata: ObjectMeta = Object.freeze({ name: 'a', ownerReferences: [owner] });

    expect(dropRepeatedOwners(metadata)).toEqual([]);
  });
});
