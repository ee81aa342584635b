// Owns the registry of our kinds: one row each. Everything that must know all kinds reads it from here.
import type { KindDescription } from './kind.ts';
import { kustomizationKind } from './kustomize/kustomization.ts';
import { gitRepositoryKind } from './source/gitrepository.ts';

export const kinds: readonly KindDescription[] = [gitRepositoryKind, kustomizationKind];
