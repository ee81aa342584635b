// Owns the demo of `up`: the repository and the two objects of the first lesson.
import type { JsonObject } from '../lib/json.ts';

export const demoName = 'hello-world-flask';
export const demoRepository = 'fluxcd-demo';

/** The only file of the repository, at its root. */
export const demoDeployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    app: hello-world-flask
  name: hello-world-flask
spec:
  replicas: 2
  selector:
    matchLabels:
      app: hello-world-flask
  template:
    metadata:
      labels:
        app: hello-world-flask
    spec:
      containers:
      - image: lyzhang1999/hello-world-flask:latest
        name: hello-world-flask
`;

/** The GitRepository and the Kustomization, in the API version that the lesson uses. */
export function demoObjects(url: string): JsonObject[] {
  const metadata = { name: demoName, namespace: 'default' };
  return [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1beta2',
      kind: 'GitRepository',
      metadata,
      spec: { interval: '5s', ref: { branch: 'main' }, url },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1beta2',
      kind: 'Kustomization',
      metadata,
      spec: {
        interval: '5s',
        path: './',
        prune: true,
        sourceRef: { kind: 'GitRepository', name: demoName },
        targetNamespace: 'default',
      },
    },
  ];
}
