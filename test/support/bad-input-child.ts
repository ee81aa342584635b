// Owns building one bad input in a process of its own, whose memory the parent limits. Prints the outcome as JSON.
import { createDiskTree } from '../../src/artifact/disk-tree.ts';
import { buildKustomization } from '../../src/engines/kustomize/build.ts';
import { BuildError } from '../../src/engines/kustomize/errors.ts';
import { reportOutcome } from './bad-input-report.ts';

const [root, target] = process.argv.slice(2) as [string, string];

function outcome(): object {
  try {
    const built = buildKustomization(createDiskTree(root), `/${target}`, { loadRestrictions: 'rootOnly' });
    if (!built.ok) return { missing: built.missing.map(({ url }) => url) };
    return { yaml: built.yaml() };
  } catch (error) {
    // Anything else is a crash, and no answer.
    if (!(error instanceof BuildError)) throw error;
    return { error: error.message };
  }
}

reportOutcome(outcome());
