// The tables of built-in kinds are those of a real kube-apiserver: the generated columns on every server, and the cells
// of whatever objects the real one has. What the embedded one prints of them is in integration/slow/kubectl-tools.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { builtinCells, loadColumns } from '../../src/sandbox/columns.ts';
import type { KubeObject } from '../../src/sandbox/object.ts';
import { readColumns } from '../generate/columns.ts';
import type { Api } from '../support/api.ts';
import { clusters, useCluster } from '../support/cluster.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const generated = join(import.meta.dirname, '../../src/sandbox/columns.generated.json');
const samples = join(import.meta.dirname, 'columns.yaml');
/** Ages go on while the two sides are compared. */
const AGE = /^((\d+[smhdy])+|<invalid>)$/;

interface Table {
  rows: { cells: unknown[]; object: KubeObject }[] | null;
}

for (const cluster of clusters.filter(({ name }) => name !== 'existing')) {
  describe(cluster.name, () => {
    const use = useCluster(cluster);

    it('has the columns that are generated', async () => {
      const columns = await readColumns(use.admin);

      // The embedded server's version says whose it is.
      expect(columns.replace('+lockstep"', '"')).toBe(readFileSync(generated, 'utf8'));
    });
  });
}

for (const cluster of clusters.filter(({ name }) => name === 'kube-apiserver')) {
  describe(cluster.name, () => {
    const use = useCluster(cluster);

    // Some samples belong to no namespace, and a cluster may stay.
    afterEach(async () => {
      await use.kubectl.run(['delete', '-f', samples, '--ignore-not-found', '--wait=false']);
    });

    it('prints its objects as we do', async () => {
      await use.kubectl.ok(['apply', '-f', samples]);
      await use.kubectl.ok(['wait', '--for=jsonpath={.status.phase}=Failed', 'pod/failed', '--timeout=30s']);
      const columns = loadColumns();
      const kinds = new Set<string>();

      for (const [resource, list] of columns) {
        if (resource.startsWith('events.k8s.io/')) continue;
        const { rows } = (await use.admin.call('GET', await pathOf(use.admin, resource), { accept: TABLE }))
          .body as Table;
        for (const { cells, object } of rows ?? []) {
          const ours = builtinCells(resource, list, object, Date.now());
          expect({ resource, cells: ours.map(withoutAge) }).toEqual({ resource, cells: cells.map(withoutAge) });
          kinds.add(resource);
        }
      }

      expect(kinds.size).toBeGreaterThan(35);
    });
  });
}

function withoutAge(cell: unknown): unknown {
  return typeof cell === 'string' && AGE.test(cell) ? 'AGE' : cell;
}

async function pathOf(api: Api, resource: string): Promise<string> {
  const [group = '', name = ''] = resource.split('/');
  if (group === '') return `/api/v1/${name}?includeObject=Object`;
  const { preferredVersion } = (await api.call('GET', `/apis/${group}`)).body as {
    preferredVersion: { groupVersion: string };
  };
  return `/apis/${preferredVersion.groupVersion}/${name}?includeObject=Object`;
}
