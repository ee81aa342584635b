import { expect, it } from 'vitest';
import { fuzzGit } from '../../../fuzz/git.ts';

// The long form is `FUZZ_SECONDS=120 node test/fuzz/git.ts`.
it('nothing but a GitError comes out of damaged Git data', () => {
  expect(fuzzGit({ seed: 20_261_121, goesOn: (round) => round < 4000 })).toBe(4000);
});
