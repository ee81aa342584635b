// Makes src/sandbox/auth/roles.generated.json: the cluster roles and bindings that a new server has, asked of a real
// kube-apiserver. Those of its own controllers are left out. Run by `node test/generate/roles.ts`; takes the server of
// LOCKSTEP_TEST_CLUSTER, or starts one.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startControlPlane } from '../cluster/control-plane.ts';
import { type Api, openApi } from '../support/api.ts';

const GROUP = '/apis/rbac.authorization.k8s.io/v1';
const BOOTSTRAP = 'labelSelector=kubernetes.io/bootstrapping%3Drbac-defaults';
/** Accounts of the control plane's own parts: nobody binds or looks at them, and nothing here runs as them. */
const OTHERS =
  /^system:(controller:|kube-|node|volume-|certificates|service-account-|cluster-trust|persistent-|heapster)/;
const output = join(dirname(fileURLToPath(import.meta.url)), '../../src/sandbox/auth/roles.generated.json');

interface Role {
  metadata: { name: string; labels: Record<string, string> };
  aggregationRule?: object;
  rules: object[];
  roleRef?: object;
  subjects?: object[];
}

/** Roles and bindings as the file has them. Rules of aggregated roles are for the server to gather. */
export async function readRoles(api: Api): Promise<string> {
  const list = async (plural: string): Promise<Role[]> => {
    const { items } = (await api.call('GET', `${GROUP}/${plural}?${BOOTSTRAP}`)).body as { items: Role[] };
    return items.filter(({ metadata }) => !OTHERS.test(metadata.name));
  };
  const roles = (await list('clusterroles')).map(({ metadata: { name, labels }, aggregationRule, rules }) =>
    aggregationRule === undefined ? { name, labels, rules } : { name, labels, aggregationRule },
  );
  const bindings = (await list('clusterrolebindings')).map(({ metadata: { name, labels }, roleRef, subjects }) => {
    return { name, labels, roleRef, subjects };
  });
  const { gitVersion } = (await api.call('GET', '/version')).body as { gitVersion: string };
  const lines = (rows: readonly object[]): string => rows.map((row) => `  ${JSON.stringify(row)}`).join(',\n');
  const head = `"origin": "kube-apiserver, by test/generate/roles.ts",\n"version": ${JSON.stringify(gitVersion)},`;
  return `{\n${head}\n"roles": [\n${lines(roles)}\n],\n"bindings": [\n${lines(bindings)}\n]\n}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.env['LOCKSTEP_TEST_CLUSTER'];
  const started = given === undefined ? await startControlPlane({ say: (line) => console.error(line) }) : undefined;
  const api = await openApi(given ?? started?.kubeconfig ?? '');
  try {
    await writeFile(output, await readRoles(api));
  } finally {
    await api.close();
    await started?.stop();
  }
}
