// The commands that people run against their clusters, with the real kubectl on every server: the sessions of
// kubectl-tools/ print the same on all of them. UPDATE_CASES=1 with a real kube-apiserver writes them anew.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { clusters, useCluster } from '../../support/cluster.ts';
import { findKubectl } from '../../support/kubectl.ts';
import { formatSession, parseSession, runSession, type Session } from '../../support/session.ts';

const folder = join(import.meta.dirname, 'kubectl-tools');
const sessions = readdirSync(folder).filter((name) => name.endsWith('.session'));
const DEFINITION = 'contraptions.tools.lockstep.dev';
const kubectl = await findKubectl();
const isMissing = kubectl === undefined && process.env['CI'] !== 'true';

for (const cluster of clusters) {
  describe.skipIf(isMissing)(`${cluster.name}${isMissing ? ' (skipped: no kubectl of 1.27 or newer)' : ''}`, () => {
    const use = useCluster(cluster);

    // A session that fails half-way must not spoil the next run on a cluster that stays.
    afterEach(async () => {
      await use.admin.call('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${DEFINITION}`);
    });

    it.each(sessions)('%s', async (name) => {
      const path = join(folder, name);
      const session = withPaths(parseSession(readFileSync(path, 'utf8')));

      const run = await runSession(session, use.kubectl, { [use.namespace]: 'NAMESPACE', [`${folder}/`]: '' });

      if (process.env['UPDATE_CASES'] === '1' && cluster.name === 'kube-apiserver')
        writeFileSync(path, formatSession(run));
      else expect(formatSession(run)).toBe(formatSession(session));
    });
  });
}

/** Files of a session lie beside it. */
function withPaths(session: Session): Session {
  const steps = session.steps.map((step) => {
    const args = step.args.map((word, i) => (step.args[i - 1] === '-f' ? join(folder, word) : word));
    return { ...step, args };
  });
  return { ...session, steps };
}
