import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/errors.ts';
import { createLog } from '../../../src/runtime/telemetry.ts';
import { FakeClock } from '../../support/clock.ts';

function createTestLog(level?: 'debug') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ clock: new FakeClock(), level, write: (line) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

describe('createLog', () => {
  it('writes JSON lines with level, time, message and fields', () => {
    const { log, lines } = createTestLog();

    log.with({ controller: 'kustomization' }).info('reconciled', { namespace: 'apps', name: 'demo' });
    log.debug('not at this level');

    expect(lines).toEqual([
      {
        level: 'info',
        ts: '2026-01-01T00:00:00.000Z',
        controller: 'kustomization',
        namespace: 'apps',
        name: 'demo',
        msg: 'reconciled',
      },
    ]);
  });

  it('masks secrets by field, down to three levels', () => {
    const { log, lines } = createTestLog();

    log.info('x', { token: 'a', secret: { data: { password: 'b' } }, deep: { er: { bearerToken: 'c' } } });

    expect(JSON.stringify(lines)).not.toMatch(/"[abc]"/);
  });

  it('masks what a log of fields adds to its lines, as the fields of the line', () => {
    const { log, lines } = createTestLog();

    log.with({ token: 'a', url: 'https://me:s3cr3t@host/r.git' }).with({ name: 'demo' }).info('x', { name: 'own' });

    expect(lines).toMatchObject([{ token: '*****', url: 'https://host/r.git', name: 'own' }]);
  });

  it('looks at no field of a line that is not written', () => {
    const { log } = createTestLog();
    let looks = 0;
    const fields = Object.defineProperty({}, 'costly', { enumerable: true, get: () => (looks += 1) });

    log.with({ name: 'demo' }).debug('not at this level', fields);
    expect(looks).toBe(0);

    log.with({ name: 'demo' }).info('at this level', fields);
    expect(looks).toBe(1);
  });

  it('writes lines for people where that is asked for', () => {
    const lines: string[] = [];
    const log = createLog({ clock: new FakeClock(), encoding: 'console', write: (line) => lines.push(line) });

    log.info('reconciled', { name: 'demo' });
    log.warn('alone');

    expect(lines).toEqual([
      '2026-01-01T00:00:00.000Z\tINFO\treconciled\t{"name":"demo"}\n',
      '2026-01-01T00:00:00.000Z\tWARN\talone\n',
    ]);
  });

  it('masks credentials and queries of URLs, in fields and errors', () => {
    const { log, lines } = createTestLog();
    const error = new CodedError('GitError', 'clone of https://me:s3cr3t@host/r.git?token=t0ken failed', {});

    log.warn('failed', { url: 'https://me:s3cr3t@host/r.git', hook: 'see https://host/x?sig=t0ken now', error });

    expect(lines[0]).toMatchObject({
      url: 'https://host/r.git',
      hook: 'see https://host/x now',
      error: { code: 'GitError', message: 'clone of https://host/r.git failed' },
    });
    expect(JSON.stringify(lines)).not.toMatch(/s3cr3t|t0ken/);
  });

  it('shows the stack of a bug, not of a coded error', () => {
    const { log, lines } = createTestLog('debug');

    log.error('bug', { error: new TypeError('oops') });
    log.debug('known', { error: new CodedError('X', 'known', {}) });

    expect(lines[0]?.['error']).toMatchObject({ message: 'oops', stack: expect.stringContaining('telemetry.test.ts') });
    expect(lines[1]?.['error']).toEqual({ code: 'X', message: 'known' });
  });
});
