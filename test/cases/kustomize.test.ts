// Every build of the kustomize corpus and of the folders beside this file against the recorded output or error of
// kustomize 5.8.1, byte for byte. UPDATE_CASES=1 records the folders again with the real binary.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDiskTree } from '../../src/artifact/disk-tree.ts';
import { buildKustomization } from '../../src/engines/kustomize/build.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import { loadYaml } from '../../src/lib/yaml.ts';
import { corpusFolder } from '../support/corpus.ts';
import { findKustomize, runKustomize } from '../support/kustomize-binary.ts';
import {
  caseOptions,
  type KustomizeCase,
  type Outcome,
  readCases,
  runCase,
  withoutAddresses,
} from '../support/kustomize-cases.ts';

const corpus = corpusFolder('kustomize');

describe.skipIf(corpus === undefined)('kustomize corpus (skipped only where there is none)', () => {
  it.each(corpus === undefined ? [] : readCases(corpus))('$name', (kase) => {
    const outcome = runCase(kase);

    expect(outcome).toEqual(kase.want === undefined ? { error: kase.wantError } : { yaml: kase.want });
  });
});

interface OwnCase {
  readonly what: string;
  readonly target?: string;
  readonly reorder?: 'legacy';
  readonly loadRestrictions?: 'none';
}

const folder = join(import.meta.dirname, 'kustomize');
const update = process.env['UPDATE_CASES'] === '1';

describe('kustomize cases', () => {
  it.each(readdirSync(folder))('%s', async (name) => {
    const place = join(folder, name);
    const kase = loadYaml(readFileSync(join(place, 'case.yaml'), 'utf8')) as unknown as OwnCase;
    if (update) await record(place, kase);

    const outcome = build(join(place, 'input'), kase);

    expect(outcome).toEqual(readExpected(place));
  });
});

function build(root: string, kase: OwnCase): Outcome {
  const options: KustomizeCase['options'] = kase;
  try {
    const built = buildKustomization(createDiskTree(root), `/${kase.target ?? ''}`, caseOptions(options));
    return built.ok ? { yaml: built.yaml() } : { error: JSON.stringify(built.missing) };
  } catch (error) {
    return { error: withoutAddresses(errorMessage(error)) };
  }
}

function readExpected(place: string): Outcome {
  const yaml = join(place, 'expected.yaml');
  if (existsSync(yaml)) return { yaml: readFileSync(yaml, 'utf8') };
  return { error: readFileSync(join(place, 'expected-error.txt'), 'utf8').replace(/\n$/, '') };
}

async function record(place: string, kase: OwnCase): Promise<void> {
  const binary = await findKustomize();
  if (binary === undefined) throw new Error('UPDATE_CASES=1 needs the kustomize binary');
  const root = join(place, 'input');
  const flags = [`--reorder=${kase.reorder ?? 'none'}`];
  if (kase.loadRestrictions === 'none') flags.push('--load-restrictor=LoadRestrictionsNone');
  const outcome = runKustomize(binary, join(root, kase.target ?? ''), flags);
  if (outcome === undefined) throw new Error('kustomize crashed');
  // The folder of the input stands for the root of a file system.
  if ('error' in outcome) {
    const text = outcome.error.replaceAll(`${root}/`, '/').replaceAll(root, '/');
    writeFileSync(join(place, 'expected-error.txt'), `${text}\n`);
  } else writeFileSync(join(place, 'expected.yaml'), outcome.yaml);
}
