import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_PACK_LIMITS } from '../../../src/engines/git/index-pack.ts';
import { formatPack } from '../../../src/engines/git/pack-write.ts';
import { createWorkerPool } from '../../../src/offload/pool.ts';
import { temporaryFolder } from '../../support/git.ts';

describe('the worker pool', () => {
  const { dir, remove } = temporaryFolder('pool');
  const pool = createWorkerPool({ threads: 1, idleMs: 50 });
  afterAll(async () => {
    await pool.close();
    remove();
  });

  const input = (name: string, bytes: Uint8Array) => {
    const packPath = join(dir, name);
    writeFileSync(packPath, bytes);
    return {
      packPath,
      idxPath: `${packPath}.idx`,
      format: 'sha1' as const,
      limits: DEFAULT_PACK_LIMITS,
      dir,
      roots: [],
      partial: false,
    };
  };
  const blob = (text: string) => formatPack([{ type: 'blob', data: Buffer.from(text) }], 'sha1');

  it('runs tasks one after the other on its threads, and again after they were idle', async () => {
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(dir, 'objects', 'pack'), { recursive: true });

    const results = await Promise.all(['a', 'b', 'c'].map((text) => pool.run('indexPack', input(text, blob(text)))));
    await new Promise((resolve) => setTimeout(resolve, 120));
    const later = await pool.run('indexPack', input('d', blob('d')));

    expect([...results, later].map(({ objects }) => objects)).toEqual([1, 1, 1, 1]);
  });

  it('starts another thread at once, or only for a task that has waited as long as it is told', async () => {
    const run = async (patienceMs: number) => {
      const own = createWorkerPool({ threads: 2, patienceMs });
      const tasks = ['i', 'j', 'k'].map((text) => own.run('indexPack', input(`${text}${patienceMs}`, blob(text))));
      const threads = own.threads();
      const found = await Promise.all(tasks);
      await own.close();
      return { threads, objects: found.map(({ objects }) => objects) };
    };

    expect(await run(0)).toEqual({ threads: 2, objects: [1, 1, 1] });
    expect(await run(600_000)).toEqual({ threads: 1, objects: [1, 1, 1] });
  });

  it('gives errors back with their code', async () => {
    await expect(pool.run('indexPack', input('bad', Buffer.from('nonsense, but long enough')))).rejects.toMatchObject({
      name: 'GitError',
      code: 'GitCorruptPack',
    });
    await expect(pool.run('indexPack', { ...input('gone', blob('x')), packPath: '/nowhere' })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('ends a task that is aborted, and goes on with the next', async () => {
    const controller = new AbortController();
    const aborted = pool.run('indexPack', input('e', blob('e')), { signal: controller.signal });
    const waiting = pool.run('indexPack', input('f', blob('f')));

    controller.abort(new Error('enough'));

    await expect(aborted).rejects.toThrow('enough');
    expect((await waiting).objects).toBe(1);
  });

  it('refuses tasks once it is closed', async () => {
    const own = createWorkerPool();
    const running = expect(own.run('indexPack', input('g', blob('g')))).rejects.toThrow('the worker pool is closed');
    await own.close();

    await running;
    await expect(own.run('indexPack', input('h', blob('h')))).rejects.toThrow('the worker pool is closed');
  });
});
