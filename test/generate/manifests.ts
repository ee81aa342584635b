// `npm run generate`: writes what `lockstep install` prints as a kustomize base below manifests/. `--check` only says
// whether the files are what they should be.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedManifests } from '../support/generated-manifests.ts';
import { projectRoot } from '../support/source-files.ts';

const isCheck = process.argv.includes('--check');
let stale = 0;
for (const [path, text] of generatedManifests()) {
  const file = join(projectRoot, path);
  const current = readOrUndefined(file);
  if (current === text) continue;
  stale += 1;
  console.log(`${isCheck ? 'stale' : 'written'}: ${path}`);
  if (isCheck) continue;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
process.exitCode = isCheck && stale > 0 ? 1 : 0;

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
