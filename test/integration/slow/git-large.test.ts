// One folder of a repository of a gigabyte: what is not named is neither fetched nor held in memory.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GitServer, startGitServer } from '../../../src/sandbox/gitserver.ts';
import type { Row } from '../../bench/git/measure.ts';
import { generateLarge, type Repository } from '../../bench/git/repositories.ts';
import { temporaryFolder } from '../../support/git.ts';
import { projectRoot } from '../../support/source-files.ts';

const MEGABYTES = 1024;

describe(`a folder of a repository of ${MEGABYTES} MB`, () => {
  const folder = temporaryFolder('large');
  let server: GitServer;
  let repository: Repository;

  beforeAll(async () => {
    server = await startGitServer({ root: folder.dir });
    repository = generateLarge(folder.dir, server.url, MEGABYTES);
    // A bound on hanging: a gigabyte is written and packed.
  }, 900_000);
  afterAll(async () => {
    await server?.close();
    folder.remove();
  });

  it('is fetched and archived within 400 MiB of memory and 100 kB on the wire', async () => {
    const bench = join(projectRoot, 'test', 'bench', 'git.ts');
    const args = ['--no-warnings', bench, 'client', 'sparse', JSON.stringify(repository), join(folder.dir, 'work')];

    const { stdout } = await promisify(execFile)(process.execPath, args);

    const rows = JSON.parse(stdout) as Row[];
    expect(rows.map(({ step }) => step)).toEqual(['sparse fetch', 'sparse archive']);
    expect(Math.max(...rows.map(({ peak }) => peak ?? Number.NaN))).toBeLessThan(400);
    expect(rows.reduce((sum, { bytes }) => sum + (bytes ?? Number.NaN), 0)).toBeLessThan(100_000);
  });
});
