import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareText,
  effectiveNamespace,
  formatResId,
  resIdEquals,
  resIdKey,
} from '../../../../../src/engines/kustomize/internal/resid.ts';
import { anyText } from '../../../../support/arbitraries.ts';

const id = { group: 'apps', version: 'v1', kind: 'Deployment', name: 'web', namespace: '', clusterScoped: false };

describe('resource ids', () => {
  it('show what is empty', () => {
    expect(formatResId(id)).toBe('Deployment.v1.apps/web.[noNs]');
    expect(formatResId({ group: '', version: '', kind: '', name: '', namespace: '' })).toBe(
      '[noKind].[noVer].[noGrp]/[noName].[noNs]',
    );
  });

  it('take no namespace for the default one, unless the type has none', () => {
    expect(effectiveNamespace(id)).toBe('default');
    expect(effectiveNamespace({ ...id, namespace: 'x', clusterScoped: true })).toBe('_non_namespaceable_');
    expect(resIdEquals(id, { ...id, namespace: 'default' })).toBe(true);
  });

  it('have equal keys exactly when they are equal', () => {
    const part = fc.constantFrom('', 'a', 'default');
    const ids = fc.record({
      group: part,
      version: part,
      kind: part,
      name: part,
      namespace: part,
      clusterScoped: fc.boolean(),
    });
    fc.assert(fc.property(ids, ids, (a, b) => (resIdKey(a) === resIdKey(b)) === resIdEquals(a, b)));
  });
});

describe('compareText', () => {
  it('is the order of UTF-8 bytes', () => {
    fc.assert(
      fc.property(anyText(), anyText(), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});
