import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { openStateLog } from '../../../../src/sandbox/storage/log.ts';
import { Storage } from '../../../../src/sandbox/storage/storage.ts';

function thing(name: string, value: unknown = 1): KubeObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'n' }, value };
}

function names(entries: readonly { key: string }[] | undefined): string[] | undefined {
  return entries?.map(({ key }) => key);
}

describe('Storage', () => {
  it('numbers changes and stamps objects with their revision', () => {
    const storage = new Storage();

    const first = storage.put('c', 'n/a', thing('a'));
    const second = storage.put('c', 'n/a', thing('a', 2));

    expect(second.revision).toBe(first.revision + 1);
    expect(second.object.metadata.resourceVersion).toBe(String(second.revision));
  });

  it('refuses an object that etcd would not take, and stays as it was', () => {
    const storage = new Storage();
    const before = storage.put('c', 'n/a', thing('a'));

    const put = () => storage.put('c', 'n/a', thing('a', 'x'.repeat(1.5 * 1024 * 1024)));

    expect(put).toThrow(expect.objectContaining({ status: 500, message: 'etcdserver: request is too large' }));
    expect(storage.get('c', 'n/a')).toBe(before);
    expect(storage.revision).toBe(before.revision);
  });

  it('lists by prefix in order of keys', () => {
    const storage = new Storage();
    for (const key of ['n/b', 'm/z', 'n/a', 'nn/a']) storage.put('c', key, thing(key));

    expect(names(storage.list('c'))).toEqual(['m/z', 'n/a', 'n/b', 'nn/a']);
    expect(names(storage.list('c', 'n/'))).toEqual(['n/a', 'n/b']);
  });

  it('lists a past revision, with what was deleted since and without what was added', () => {
    const storage = new Storage();
    storage.put('c', 'n/a', thing('a', 'old'));
    storage.put('c', 'n/b', thing('b'));
    const then = storage.revision;
    storage.put('c', 'n/a', thing('a', 'new'));
    storage.remove('c', 'n/b');
    storage.put('c', 'n/c', thing('c'));

    const past = storage.listAt('c', '', then);

    expect(past?.map(({ key, object }) => [key, object['value']])).toEqual([
      ['n/a', 'old'],
      ['n/b', 1],
    ]);
  });

  it('forgets old changes, and says so', () => {
    const storage = new Storage();
    const before = storage.put('c', 'n/a', thing('a')).revision;
    for (let i = 0; i < 3000; i++) storage.put('c', 'n/a', thing('a', i));

    expect(storage.since('c', before)).toBeUndefined();
    expect(storage.listAt('c', '', before)).toBeUndefined();
    expect(storage.since('c', storage.revision - 5)).toHaveLength(5);
  });

  it('changes nothing when the log refuses', () => {
    const storage = new Storage();
    storage.onCommit = () => {
      throw new Error('disk full');
    };

    expect(() => storage.put('c', 'n/a', thing('a'))).toThrow('disk full');
    expect(storage.get('c', 'n/a')).toBeUndefined();
    expect(storage.revision).toBe(1);
  });
});

describe('the log', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'lockstep-log-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function reopen(): Storage {
    const storage = new Storage();
    openStateLog(dir, storage).close();
    return storage;
  }

  it('brings objects, deletions and the revision back', () => {
    const storage = new Storage();
    const log = openStateLog(dir, storage);
    storage.put('c', 'n/a', thing('a', 'text with\nlines and 日本'));
    storage.put('c', 'n/b', thing('b'));
    storage.remove('c', 'n/b');
    log.close();

    const again = reopen();

    expect(again.get('c', 'n/a')?.object).toEqual(storage.get('c', 'n/a')?.object);
    expect(names(again.list('c'))).toEqual(['n/a']);
    expect(again.revision).toBe(storage.revision);
    expect(again.since('c', again.revision - 1)).toBeUndefined();
  });

  it('has every change on disk before the write returns', () => {
    const storage = new Storage();
    const log = openStateLog(dir, storage);

    storage.put('c', 'n/a', thing('a'));

    expect(readFileSync(join(dir, 'objects.log'), 'utf8')).toContain('P 2 c n/a {');
    log.close();
  });

  it('drops a torn last record and goes on after it', () => {
    const storage = new Storage();
    const log = openStateLog(dir, storage);
    storage.put('c', 'n/a', thing('a'));
    log.close();
    appendFileSync(join(dir, 'objects.log'), 'P 3 c n/b {"apiVersion":"v1","kind":"Th');

    const again = new Storage();
    const next = openStateLog(dir, again);
    again.put('c', 'n/c', thing('c'));
    next.close();

    expect(names(reopen().list('c'))).toEqual(['n/a', 'n/c']);
  });

  it('keeps integers beyond 2^53', () => {
    const storage = new Storage();
    const log = openStateLog(dir, storage);
    storage.put('c', 'n/a', thing('a', 9007199254740993n));
    log.close();

    expect(reopen().get('c', 'n/a')?.object['value']).toBe(9007199254740993n);
  });

  it('starts from an empty file', () => {
    writeFileSync(join(dir, 'objects.log'), '');

    expect(reopen().revision).toBe(1);
  });
});
