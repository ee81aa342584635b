// Owns the text that `helm template` prints for a rendered chart.
import { matchPath } from '../../lib/glob.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';
import { trimSpace } from './internal/space.ts';
import { type Manifest, splitManifests } from './manifests.ts';
import type { RenderedChart } from './render.ts';

/** Which parts to print. */
export interface OutputOptions {
  /** @default 'helm3' */
  readonly compat?: Compat;
  /** @default false */
  readonly includeCrds?: boolean;
  /** Leave all hooks out. @default false */
  readonly noHooks?: boolean;
  /** Leave out hooks that are tests. @default false */
  readonly skipTests?: boolean;
  /** Globs of template paths below the chart's name; empty prints everything. */
  readonly showOnly?: readonly string[];
}

/** The stream of manifests, then hooks. Throws HelmError `TemplateFailed` when a `showOnly` finds nothing. */
export function formatOutput(rendered: RenderedChart, options: OutputOptions = {}): string {
  const crds = options.includeCrds === true ? rendered.crds : [];
  const body = formatManifests([...crds, ...rendered.manifests]);
  let stream = `${trimSpace(body)}\n`;
  if (options.noHooks !== true) {
    const hooks = rendered.hooks.filter((hook) => options.skipTests !== true || !hook.events.includes('test'));
    stream += formatManifests(hooks);
  }
  const { showOnly = [], compat = 'helm3' } = options;
  return showOnly.length === 0 ? stream : selectTemplates(stream, showOnly, compat);
}

/** Each document under the path of its template: the manifest that a release stores. */
export function formatManifests(documents: readonly Pick<Manifest, 'path' | 'text'>[]): string {
  return documents.map(({ path, text }) => `---\n# Source: ${path}\n${text}\n`).join('');
}

function selectTemplates(stream: string, globs: readonly string[], compat: Compat): string {
  const documents = splitManifests(stream, compat).map((text) => ({
    text,
    path: /# Source: [^/]+\/(.+)/.exec(text)?.[1],
  }));
  let selected = '';
  for (const glob of globs) {
    const found = documents.filter(({ path }) => path !== undefined && matchesGlob(glob, path));
    if (found.length === 0) throw new HelmError('ChartInvalid', `could not find template ${glob} in chart`, {});
    for (const { text } of found) selected += `---\n${text}\n`;
  }
  return selected;
}

/** A malformed glob selects nothing. */
function matchesGlob(glob: string, path: string): boolean {
  try {
    return matchPath(glob, path);
  } catch {
    return false;
  }
}
