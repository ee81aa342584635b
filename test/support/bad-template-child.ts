// Owns one rendering of a bad template in a process of its own: prints {text} or {error} as JSON.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../../src/lib/errors.ts';
import { reportOutcome } from './bad-input-report.ts';
import { renderSnippet } from './snippet.ts';

const folder = process.argv[2] ?? '';
const valuesFile = join(folder, 'values.yaml');
const chart = {
  metadata: { apiVersion: 'v2', name: 'c', version: '0.1.0' },
  values: existsSync(valuesFile) ? readFileSync(valuesFile, 'utf8') : '',
  files: { 'templates/t.yaml': readFileSync(join(folder, 't.yaml'), 'utf8') },
  release: { name: 'r', namespace: 'ns' },
  kubeVersion: 'v1.36.3',
};

function render(): { text: string } | { error: string } {
  try {
    return { text: renderSnippet(chart, 'templates/t.yaml', 'helm3') };
  } catch (error) {
    return { error: errorMessage(error) };
  }
}

reportOutcome(render());
