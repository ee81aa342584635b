// Compares the kustomize engine with the real binary: seeded random kustomizations are built by both, and every output
// and every error must be the same byte for byte. SEEDS sets how many, FIRST_SEED where they begin.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findKustomize, inTemporaryFolder, runKustomize, writeFiles } from '../support/kustomize-binary.ts';
import { type Outcome, runCase } from '../support/kustomize-cases.ts';
import { faultyKustomizations, neighbours } from '../support/kustomize-faults.ts';
import { randomBuild } from '../support/kustomize-generator.ts';

const SEEDS = Number(process.env['SEEDS'] ?? (process.env['CI'] === 'true' ? 2000 : 200));
const FIRST = Number(process.env['FIRST_SEED'] ?? 0);
const BATCH = 50;
const binary = await findKustomize();
if (binary === undefined && process.env['CI'] === 'true') throw new Error('the kustomize binary is missing');

describe.skipIf(binary === undefined)(
  'random kustomizations against kustomize (skipped only where there is none)',
  () => {
    it.each(Array.from({ length: Math.ceil(SEEDS / BATCH) }, (_, batch) => FIRST + batch * BATCH))(
      'seeds from %i on',
      (first) => {
        const seeds = Array.from({ length: BATCH }, (_, index) => first + index);

        const differing = seeds.flatMap((seed) => {
          const { want, got } = buildBoth(seed);
          return agree(want, got) ? [] : [{ seed, got, want }];
        });

        expect(differing).toEqual([]);
      },
    );

    it('most of the random kustomizations build', () => {
      const outcomes = Array.from({ length: 100 }, (_, seed) => {
        const { files, target } = randomBuild(seed);
        return runCase({ files: Object.fromEntries(files), target, options: { reorder: 'unspecified' } });
      });

      expect(outcomes.filter((outcome) => 'yaml' in outcome).length).toBeGreaterThan(50);
    });
  },
);

describe.skipIf(binary === undefined)('faulty kustomization files against kustomize', () => {
  it.each(faultyKustomizations)('%j', (text) => {
    const files = { ...neighbours, 'kustomization.yaml': text };

    const { want, got } = inTemporaryFolder((folder) => {
      writeFiles(folder, Object.entries(files));
      const absolute = Object.fromEntries(Object.entries(files).map(([path, file]) => [join(folder, path), file]));
      return {
        want: runKustomize(binary!, folder),
        got: runCase({ files: absolute, target: folder, options: { reorder: 'unspecified' } }),
      };
    });

    expect(got).toEqual(want);
  });
});

/** As the command line builds by default, and as Flux does. */
const MODES = [
  { options: { reorder: 'unspecified' }, flags: [] },
  {
    options: { reorder: 'none', loadRestrictions: 'none' },
    flags: ['--reorder=none', '--load-restrictor=LoadRestrictionsNone'],
  },
] as const;

/** `want` is undefined where the binary crashed. */
function buildBoth(seed: number): { readonly want: Outcome | undefined; readonly got: Outcome } {
  const { files, target } = randomBuild(seed);
  const { options, flags } = MODES[seed % MODES.length]!;
  return inTemporaryFolder((folder) => {
    writeFiles(folder, files);
    const absolute = Object.fromEntries([...files].map(([path, text]) => [join(folder, path), text]));
    return {
      want: runKustomize(binary!, join(folder, target), flags),
      got: runCase({ files: absolute, target: join(folder, target), options }),
    };
  });
}

/** The binary visits referrers in a random order, so that of several ambiguous ones any may be in its error. */
const AMBIGUOUS = 'found multiple possible referrals';

function agree(want: Outcome | undefined, got: Outcome): boolean {
  if (want === undefined) return 'error' in got;
  if ('yaml' in want) return 'yaml' in got && got.yaml === want.yaml;
  if ('yaml' in got) return false;
  return got.error === want.error || (want.error.includes(AMBIGUOUS) && got.error.includes(AMBIGUOUS));
}
