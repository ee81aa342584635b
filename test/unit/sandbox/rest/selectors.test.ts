import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { fieldMatcher } from '../../../../src/sandbox/rest/field-selectors.ts';
import { labelMatcher } from '../../../../src/sandbox/rest/selectors.ts';

function labelled(labels: Record<string, string>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', labels },
    spec: { nodeName: 'node-1' },
  };
}

describe('label selectors', () => {
  it.each([
    { selector: 'a=1', labels: { a: '1' }, want: true },
    { selector: 'a==1,b!=2', labels: { a: '1' }, want: true },
    { selector: 'a!=1', labels: {}, want: true },
    { selector: 'a', labels: { a: '' }, want: true },
    { selector: '!a', labels: { a: '' }, want: false },
    { selector: 'a in (1, 2)', labels: { a: '2' }, want: true },
    { selector: 'a notin (1,2)', labels: { b: '1' }, want: true },
    { selector: 'a in (1),b notin (2)', labels: { a: '1', b: '2' }, want: false },
    { selector: 'n>4,n<6', labels: { n: '5' }, want: true },
    { selector: 'a=', labels: { a: '' }, want: true },
    { selector: 'app.kubernetes.io/name=x', labels: { 'app.kubernetes.io/name': 'x' }, want: true },
    { selector: 'constructor', labels: {}, want: false },
  ])('$selector on $labels is $want', ({ selector, labels, want }) => {
    expect(labelMatcher(selector)!(labelled(labels))).toBe(want);
  });

  it('selects all when empty', () => {
    expect(labelMatcher('')).toBeUndefined();
  });

  it.each([
    { selector: 'a in (b', want: "unable to parse requirement: found '', expected: ',' or ')'" },
    { selector: 'a=b c', want: "found 'c', expected: ',' or 'end of string'" },
    { selector: `a=${'x'.repeat(64)}`, want: 'must be no more than 63 bytes' },
    { selector: '@', want: 'Invalid value: "@": name part must consist of' },
  ])('refuses $selector', ({ selector, want }) => {
    expect(() => labelMatcher(selector)).toThrow(want);
  });
});

describe('field selectors', () => {
  const pods = { group: '', plural: 'pods' };

  it('matches metadata and the fields of the kind', () => {
    expect(fieldMatcher('metadata.name=p,spec.nodeName!=node-2', pods, undefined)!(labelled({}))).toBe(true);
    expect(fieldMatcher('status.phase=Running', pods, undefined)!(labelled({}))).toBe(false);
  });

  it('knows the selectable fields of a custom resource', () => {
    expect(
      fieldMatcher('spec.nodeName=node-1', { group: 'e.com', plural: 'ws' }, ['spec.nodeName'])!(labelled({})),
    ).toBe(true);
  });

  it('refuses a field that the kind does not have', () => {
    expect(() => fieldMatcher('foo=bar', pods, undefined)).toThrow('field label not supported: foo');
    expect(() => fieldMatcher('a=b', { group: '', plural: 'configmaps' }, undefined)).toThrow(
      '"a" is not a known field selector: only "metadata.name", "metadata.namespace"',
    );
  });
});
