// Fields that the API server does not know, by its own words (flux.md §4.8 "Normalisation").
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../src/objects/manifest.ts';
import { isTyped, undeclaredPaths, withoutField } from '../../../src/objects/undeclared.ts';

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replica: 1,
    'with.dot': { x: 1 },
    template: {
      spec: {
        containers: [
          { name: 'other', image: 'a' },
          { name: 'main', image: 'b', imagePullPolice: 'Always', ports: [{ containerPort: 80, host: 1 }] },
        ],
        tolerations: [{ key: 'a' }, { kay: 'b' }],
      },
    },
  },
} as unknown as Manifest;

describe('undeclared fields', () => {
  it('are named by a refusal, one or several', () => {
    const head = 'failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): ';
    const undeclared = ': field not declared in schema';

    expect(undeclaredPaths(`${head}.spec.replica${undeclared}`)).toEqual(['.spec.replica']);
    expect(undeclaredPaths(`${head}errors:\n  .spec.a${undeclared}\n  .spec.b[name="x y"].c${undeclared}`)).toEqual([
      '.spec.a',
      '.spec.b[name="x y"].c',
    ]);
    expect(undeclaredPaths(`${head}.spec.replicas: expected numeric, got string`)).toEqual([]);
  });

  it.each([
    ['.spec.replica', 'replica'],
    ['.spec.with.dot', 'with.dot'],
    ['.spec.template.spec.containers[name="main"].imagePullPolice', 'imagePullPolice'],
    ['.spec.template.spec.containers[name="main"].ports[containerPort=80,protocol="TCP"].host', 'host'],
    ['.spec.template.spec.tolerations[1].kay', 'kay'],
  ])('%s is taken out, and nothing else', (path, name) => {
    const before = JSON.stringify(deployment);

    const left = withoutField(deployment, path);

    const isOther = (key: string, value: unknown) => (key === name ? undefined : value);
    expect(left).toEqual(JSON.parse(JSON.stringify(deployment, isOther)));
    expect(JSON.stringify(deployment)).toBe(before);
  });

  it.each([
    '.spec.nothing',
    '.spec.template.spec.containers[name="none"].image',
    '.spec.replica.x',
    'spec',
    '.__proto__.x',
  ])('a path that leads nowhere changes nothing: %s', (path) => {
    expect(withoutField(deployment, path)).toBeUndefined();
  });

  it('count for kinds that Flux has types of', () => {
    const is = (apiVersion: string, kind: string) => isTyped({ apiVersion, kind });

    expect([is('v1', 'Service'), is('networking.k8s.io/v1', 'Ingress')]).toEqual([true, true]);
    expect([is('rbac.authorization.k8s.io/v1', 'Role'), is('rbac.authorization.k8s.io/v1', 'RoleBinding')]).toEqual([
      false,
      true,
    ]);
    expect([is('gateway.networking.k8s.io/v1', 'Gateway'), is('example.com/v1', 'Widget')]).toEqual([false, false]);
  });
});
