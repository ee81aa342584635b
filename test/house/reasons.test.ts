// The tables of reasons in the kinds' pages are what the code can say: no reason is missing there, none is made up, and
// none is declared that nothing uses.
import { describe, expect, it } from 'vitest';
import { helmReleaseReasons } from '../../src/api/helm/helmrelease.ts';
import { kustomizationReasons } from '../../src/api/kustomize/kustomization.ts';
import { metaReasons } from '../../src/api/meta/condition.ts';
import { bucketReasons } from '../../src/api/source/bucket.ts';
import { gitRepositoryReasons } from '../../src/api/source/gitrepository.ts';
import { helmChartReasons } from '../../src/api/source/helmchart.ts';
import { helmRepositoryReasons } from '../../src/api/source/helmrepository.ts';
import { ociRepositoryReasons } from '../../src/api/source/ocirepository.ts';
import { listSourceFiles, readProjectFile } from '../support/source-files.ts';

const pages: readonly (readonly [room: string, reasons: Readonly<Record<string, string>>])[] = [
  ['src/controllers/gitrepository', gitRepositoryReasons],
  ['src/controllers/helmrepository', helmRepositoryReasons],
  ['src/controllers/helmchart', helmChartReasons],
  ['src/controllers/ocirepository', ociRepositoryReasons],
  ['src/controllers/bucket', bucketReasons],
  ['src/controllers/kustomization', kustomizationReasons],
  ['src/controllers/helmrelease', helmReleaseReasons],
];
const CHAPTERS = ['Example', 'Writing a spec', 'Working with it', 'Status', 'Differences'];

describe.each(pages)('%s', (room, reasons) => {
  const page = readProjectFile(`${room}/README.md`);

  it('has the chapters of a kind in their order', () => {
    expect([...page.matchAll(/^## (.*)$/gm)].map((match) => match[1])).toEqual(CHAPTERS);
  });

  it('lists the reasons of the code, and no others', () => {
    expect([...new Set(reasonsOf(page))].sort()).toEqual([...new Set(Object.values(reasons))].sort());
  });

  it('declares no reason that nothing uses', () => {
    const rooms = [room, 'src/controllers/shared'];
    const code = rooms.flatMap(listSourceFiles).map(readProjectFile).join('\n');
    const byTheMachine: readonly string[] = [metaReasons.progressing, metaReasons.progressingWithRetry];

    const unused = Object.entries(reasons).filter(
      ([key, value]) =>
        !byTheMachine.includes(value) &&
        !new RegExp(`[rR]easons\\.${key}\\b`).test(code) &&
        !code.includes(`'${value}'`),
    );

    expect(unused).toEqual([]);
  });
});

/** What stands in backticks in the columns `reason` of the chapter Status. */
function reasonsOf(page: string): string[] {
  const chapter = page.slice(page.indexOf('\n## Status\n'), page.indexOf('\n## Differences\n'));
  const found: string[] = [];
  let column = -1;
  for (const line of chapter.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 3) column = -1;
    else if (cells.includes('reason')) column = cells.indexOf('reason');
    else if (column >= 0) found.push(...[...cells[column]!.matchAll(/`(\w+)`/g)].map((match) => match[1]!));
  }
  return found;
}
