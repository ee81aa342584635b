// The cluster roles and bindings of a new server are those of a real kube-apiserver, as `npm run generate:schemas` writes
// them down.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRoles } from '../generate/roles.ts';
import { clusters, useCluster } from '../support/cluster.ts';

const generated = join(import.meta.dirname, '../../src/sandbox/auth/roles.generated.json');

for (const cluster of clusters.filter(({ name }) => name !== 'existing')) {
  describe(cluster.name, () => {
    const use = useCluster(cluster);

    it('has the cluster roles and bindings that are generated', async () => {
      const roles = await readRoles(use.admin);

      // The embedded server's version says whose it is.
      expect(roles.replace('+lockstep"', '"')).toBe(readFileSync(generated, 'utf8'));
    });
  });
}
