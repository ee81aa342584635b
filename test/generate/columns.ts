// Makes src/sandbox/columns.generated.json: the table columns of every built-in kind, asked of a real kube-apiserver.
// Run by `node test/generate/columns.ts`; takes the server of LOCKSTEP_TEST_CLUSTER, or starts one.
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startControlPlane } from '../cluster/control-plane.ts';
import { type Api, openApi } from '../support/api.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const output = join(dirname(fileURLToPath(import.meta.url)), '../../src/sandbox/columns.generated.json');
/** Groups of built-in kinds; those of definitions come and go, and must have a domain of their own. */
const BUILT_IN = /^[^.]+$|\.k8s\.io$/;

interface Column {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
}

/** The columns as the server gives them: by `group/resource`, descriptions kept once, in the form of the file. */
export async function readColumns(api: Api): Promise<string> {
  const descriptions: string[] = [];
  const columns: Record<string, (string | number)[][]> = {};
  for (const { path, group } of await groupVersions(api)) {
    for (const resource of await listedResources(api, path)) {
      const key = `${group}/${resource}`;
      if (key in columns) continue;
      const table = (await api.call('GET', `${path}/${resource}?limit=1`, { accept: TABLE })).body as {
        columnDefinitions: Column[];
      };
      columns[key] = table.columnDefinitions.map(({ name, type, format, priority, description }) => {
        if (!descriptions.includes(description)) descriptions.push(description);
        return [name, type, format, priority, descriptions.indexOf(description)];
      });
    }
  }
  const { gitVersion } = (await api.call('GET', '/version')).body as { gitVersion: string };
  const rows = Object.keys(columns)
    .sort()
    .map((key) => `  ${JSON.stringify(key)}: ${JSON.stringify(columns[key])}`);
  const texts = descriptions.map((text) => `  ${JSON.stringify(text)}`);
  const head = `"origin": "kube-apiserver, by test/generate/columns.ts",\n"version": ${JSON.stringify(gitVersion)},`;
  return `{\n${head}\n"descriptions": [\n${texts.join(',\n')}\n],\n"columns": {\n${rows.join(',\n')}\n}\n}\n`;
}

async function groupVersions(api: Api): Promise<{ path: string; group: string }[]> {
  const { groups } = (await api.call('GET', '/apis')).body as {
    groups: { name: string; versions: { groupVersion: string }[] }[];
  };
  const builtIn = groups.filter(({ name }) => BUILT_IN.test(name));
  const named = builtIn.flatMap(({ name, versions }) =>
    versions.map(({ groupVersion }) => ({ path: `/apis/${groupVersion}`, group: name })),
  );
  return [{ path: '/api/v1', group: '' }, ...named];
}

async function listedResources(api: Api, path: string): Promise<string[]> {
  const { resources } = (await api.call('GET', path)).body as { resources: { name: string; verbs: string[] }[] };
  return resources.filter(({ name, verbs }) => !name.includes('/') && verbs.includes('list')).map(({ name }) => name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = process.env['LOCKSTEP_TEST_CLUSTER'];
  const started = given === undefined ? await startControlPlane({ say: (line) => console.error(line) }) : undefined;
  const api = await openApi(given ?? started?.kubeconfig ?? '');
  try {
    await writeFile(output, await readColumns(api));
  } finally {
    await api.close();
    await started?.stop();
  }
}
