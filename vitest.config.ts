import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const FAULTS = ['test/integration/faults*.test.ts'];
// Suites that take minutes: part of `.ci/run` and `npm run test:cluster`, not of `npm test`.
const SLOW = ['test/integration/slow/**/*.test.ts'];
// Unit, case and house tests share one process per thread: isolation costs eight times the CPU.
const shared = { pool: 'threads', testTimeout: 60_000 } as const;
const setupFiles = process.env['CI'] === 'true' ? ['test/support/one-seed.ts'] : [];

// Child processes of suites start in half the time with it.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url));

export default defineConfig({
  test: {
    // Suites wait for servers more than they compute: more workers than cores.
    maxWorkers: 4,
    projects: [
      { test: { ...shared, name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false, setupFiles } },
      { test: { ...shared, name: 'house', include: ['test/house/**/*.test.ts'], isolate: false } },
      { test: { ...shared, name: 'cases', include: ['test/cases/*.test.ts'], isolate: false, testTimeout: 120_000 } },
      {
        test: {
          ...shared,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...FAULTS, ...SLOW],
          // Bounds on hanging, not on speed: a transcript of kubectl waits for rollouts of a real control plane.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { ...shared, name: 'slow', include: SLOW, testTimeout: 300_000, hookTimeout: 180_000 } },
      { test: { ...shared, name: 'faults', include: FAULTS, testTimeout: 90_000, hookTimeout: 60_000 } },
      {
        test: {
          ...shared,
          name: 'examples',
          include: ['test/examples/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'differential',
          include: ['test/differential/**/*.test.ts'],
          testTimeout: 600_000,
          // A bound on hanging: Go programs are built with all that they import, several at once.
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'conformance',
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
