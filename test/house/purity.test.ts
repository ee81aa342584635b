// Rings 0-2 name no clock, no randomness, no environment and no I/O: what they need is passed in.
import { describe, expect, it } from 'vitest';
import { listSourceFiles, readProjectFile } from '../support/source-files.ts';

const PURE_ROOMS = ['lib', 'lang', 'api', 'objects', 'engines', 'render', 'plan', 'health', 'image', 'rollout'];
const FORBIDDEN: readonly (readonly [string, RegExp])[] = [
  ['a node module with effects', /['"]node:(fs|net|https?|http2|tls|dns|child_process|timers|worker_threads|os)\b/],
  ['process', /\bprocess\.(?!domain)/],
  ['Date.now', /\bDate\.now\b/],
  ['new Date()', /\bnew Date\(\s*\)/],
  ['Math.random', /\bMath\.random\b/],
  ['a timer', /\b(setTimeout|setInterval|setImmediate)\(/],
  ['fetch', /(?<![.#\w])fetch\(/],
  ['crypto randomness', /\b(randomBytes|randomInt|randomUUID|getRandomValues|generateKeyPair\w*)\(/],
];

/** Source without comments and string contents, so that prose does not count. Import paths are kept. */
function codeOf(path: string): string {
  return readProjectFile(path)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '');
}

describe('purity', () => {
  const pure = PURE_ROOMS.flatMap((room) => listSafely(`src/${room}`));

  it.each(FORBIDDEN)('pure rooms do not use %s', (_name, pattern) => {
    expect(pure.filter((path) => pattern.test(codeOf(path)))).toEqual([]);
  });
});

function listSafely(folder: string): string[] {
  try {
    return listSourceFiles(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
