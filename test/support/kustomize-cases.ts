// Owns reading kustomize cases: the shared corpus and our own, both as one JSON file per build.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChartRequest } from '../../src/engines/helm/kustomize-hook.ts';
import { createRenderCache } from '../../src/engines/helm/render.ts';
import { type BuildOptions, buildKustomization } from '../../src/engines/kustomize/build.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import { createMemoryTree, type MemoryFile } from '../../src/lib/memory-tree.ts';
import { testHost } from './template-host.ts';

/** One build and what comes of it; the format is the corpus's (see its README). */
export interface KustomizeCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string | { readonly base64: string } | { readonly symlink: string }>>;
  readonly target: string;
  readonly options?: {
    readonly reorder?: 'none' | 'legacy' | 'unspecified';
    readonly loadRestrictions?: 'none';
    readonly addManagedbyLabel?: boolean;
    readonly helm?: {
      readonly enabled: boolean;
      readonly kubeVersion?: string;
      readonly apiVersions?: readonly string[];
    };
  };
  readonly want?: string;
  readonly wantError?: string;
}

/** All cases of a folder, by file name. */
export function readCases(folder: string): readonly KustomizeCase[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as KustomizeCase);
}

/** A tree of a case's files. */
export function caseTree(files: KustomizeCase['files']): ReturnType<typeof createMemoryTree> {
  const tree = new Map<string, MemoryFile>();
  for (const [path, file] of Object.entries(files)) {
    const key = path.replace(/^\/+/, '');
    if (typeof file === 'string') tree.set(key, file);
    else if ('base64' in file) tree.set(key, Buffer.from(file.base64, 'base64'));
    else tree.set(key, { link: file.symlink });
  }
  return createMemoryTree(tree);
}

/** Options of a case as the engine takes them; the tree stands for a whole file system. */
export function caseOptions(options: KustomizeCase['options']): BuildOptions {
  return {
    jailed: false,
    reorder: options?.reorder ?? 'none',
    loadRestrictions: options?.loadRestrictions ?? 'rootOnly',
    addManagedByLabel: options?.addManagedbyLabel === true,
  };
}

/** An error text with its pointers, which differ from run to run, as `0xADDR`. */
export function withoutAddresses(text: string): string {
  return text.replace(/0x[0-9a-f]{6,}/g, '0xADDR');
}

/** Output or error text of a build. */
export type Outcome = { readonly yaml: string } | { readonly error: string };

/** Charts are rendered with one cache of parsed templates. */
const charts = { host: testHost(), cache: createRenderCache() };

/** Builds a case. Pointers in error texts read `0xADDR`. */
export function runCase(kase: Pick<KustomizeCase, 'files' | 'target' | 'options'>): Outcome {
  try {
    const helm = kase.options?.helm?.enabled === true;
    const renderChart: BuildOptions['renderChart'] = (request) => renderChartRequest(request, charts);
    const options = { ...caseOptions(kase.options), ...(helm ? { renderChart } : {}) };
    const built = buildKustomization(caseTree(kase.files), kase.target, options);
    if (!built.ok) return { error: `missing: ${JSON.stringify(built.missing)}` };
    return { yaml: built.yaml() };
  } catch (error) {
    return { error: withoutAddresses(errorMessage(error)) };
  }
}
