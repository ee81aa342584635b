// Owns builders of objects for tests: what a test does not state has a plain default.
import type { JsonObject } from '../../src/lib/json.ts';

export function gitRepository(name: string, url: string, spec: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name },
    spec: { interval: '1h', url, ref: { branch: 'main' }, ...spec },
  };
}

/** An object of the source kinds, with an interval of an hour. */
export function sourceObject(kind: string, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'source.toolkit.fluxcd.io/v1', kind, metadata: { name }, spec: { interval: '1h', ...spec } };
}

export function kustomization(
  name: string,
  source: string,
  spec: JsonObject = {},
  metadata: JsonObject = {},
): JsonObject {
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, ...metadata },
    spec: { interval: '1h', prune: true, sourceRef: { kind: 'GitRepository', name: source }, ...spec },
  };
}

/** A Secret of texts. */
export function secret(name: string, stringData: Readonly<Record<string, string>>): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
}

/** A ConfigMap as YAML text. */
export function configMapYaml(name: string, data: Readonly<Record<string, string>>, namespace?: string): string {
  const place = namespace === undefined ? '' : `  namespace: ${namespace}\n`;
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${place}data:\n${lines.join('')}`;
}

/** A CustomResourceDefinition of one namespaced kind whose objects may hold anything, as YAML text. */
export function definitionYaml(group: string, kind: string, description = 'any'): string {
  const singular = kind.toLowerCase();
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${singular}s.${group}}
spec:
  group: ${group}
  names: {kind: ${kind}, listKind: ${kind}List, plural: ${singular}s, singular: ${singular}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, description: ${description}, x-kubernetes-preserve-unknown-fields: true}}
`;
}

/** A Job of one try as YAML text. */
export function jobYaml(name: string, image: string, annotations: Readonly<Record<string, string>> = {}): string {
  return `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  annotations: ${JSON.stringify(annotations)}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: ${image}
`;
}

/** A ServiceAccount, and the objects that give it rights in its namespace. */
export function accountWithRights(name: string, namespace: string, rule: JsonObject): JsonObject[] {
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: `${group}/v1`, kind: 'Role', metadata, rules: [rule] },
    {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}

/** A Deployment as YAML text. */
export function deploymentYaml(name: string, image: string, replicas = 1): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
      - name: main
        image: ${image}
`;
}
