// Owns the registry of our kinds: one row each. Everything that must know all kinds reads it from here.
import { helmReleaseKind } from './helm/helmrelease.ts';
import type { KindDescription } from './kind.ts';
import { kustomizationKind } from './kustomize/kustomization.ts';
import { bucketKind } from './source/bucket.ts';
import { externalArtifactKind } from './source/externalartifact.ts';
import { gitRepositoryKind } from './source/gitrepository.ts';
import { helmChartKind } from './source/helmchart.ts';
import { helmRepositoryKind } from './source/helmrepository.ts';
import { ociRepositoryKind } from './source/ocirepository.ts';

export const kinds: readonly KindDescription[] = [
  gitRepositoryKind,
  ociRepositoryKind,
  bucketKind,
  helmRepositoryKind,
  helmChartKind,
  kustomizationKind,
  externalArtifactKind,
  helmReleaseKind,
];
