// Renders the snippets of the corpus (functions.json) in the chart and release that they were recorded with, as Helm 3
// and as Helm 4, and compares text or error byte for byte.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Compat } from '../../src/engines/helm/compat.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import { corpusFolder } from '../support/corpus.ts';
import { renderSnippet } from '../support/snippet.ts';

interface Snippet {
  readonly id: string;
  readonly template: string;
  readonly values: string;
  readonly want?: string;
  readonly wantError?: string;
  readonly want4?: string;
  readonly wantError4?: string;
  readonly fixture?: string;
}

interface Corpus {
  readonly context: {
    readonly chart: { readonly name: string };
    readonly templateFile: string;
    readonly release: { readonly Name: string; readonly Namespace: string };
    readonly kubeVersion: string;
  };
  readonly fixtures: Readonly<
    Record<string, { readonly files?: Record<string, string>; readonly partials?: Record<string, string> }>
  >;
  readonly snippets: readonly Snippet[];
}

const folder = corpusFolder('helm');
const corpus = folder === undefined ? undefined : readCorpus(join(folder, 'functions.json'));

describe.skipIf(corpus === undefined)(
  'template snippets of the corpus (skipped only where the corpus is missing)',
  () => {
    const snippets = corpus?.snippets ?? [];

    it('has all of them', () => {
      expect(snippets.length).toBeGreaterThanOrEqual(1137);
    });

    it.each(snippets.map((snippet) => [snippet.id, snippet] as const))('%s as Helm 3', (_id, snippet) => {
      expect(render(snippet, 'helm3')).toEqual(expected(snippet.want, snippet.wantError));
    });

    it.each(snippets.map((snippet) => [snippet.id, snippet] as const))('%s as Helm 4', (_id, snippet) => {
      const differs = snippet.want4 !== undefined || snippet.wantError4 !== undefined;
      const want = differs ? expected(snippet.want4, snippet.wantError4) : expected(snippet.want, snippet.wantError);
      expect(render(snippet, 'helm4')).toEqual(want);
    });
  },
);

function readCorpus(path: string): Corpus {
  return JSON.parse(readFileSync(path, 'utf8'));
}

interface Outcome {
  readonly text?: string | undefined;
  readonly error?: string | undefined;
}

function expected(text: string | undefined, error: string | undefined): Outcome {
  return error === undefined ? { text } : { error };
}

function render(snippet: Snippet, compat: Compat): Outcome {
  const { context, fixtures } = corpus!;
  const fixture = fixtures[snippet.fixture ?? ''];
  const files: Record<string, string> = { [context.templateFile]: snippet.template, ...fixture?.files };
  for (const [name, text] of Object.entries(fixture?.partials ?? {})) files[`templates/${name}`] = text;
  const { Name: name, Namespace: namespace } = context.release;
  const chart = {
    metadata: context.chart,
    values: snippet.values,
    files,
    release: { name, namespace },
    kubeVersion: context.kubeVersion,
  };
  try {
    // Bytes that are not UTF-8 were recorded as U+FFFD each.
    return { text: renderSnippet(chart, context.templateFile, compat).toWellFormed() };
  } catch (error) {
    return { error: errorMessage(error) };
  }
}
