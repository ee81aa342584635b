// Generates src/sandbox/schema/go-types.generated.json: per built-in type its fields' protobuf numbers and whether Go
// writes them when empty. Read from the struct tags in the Kubernetes API modules.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = 'v0.36.3';
const OUTPUT = join(import.meta.dirname, '../../src/sandbox/schema/go-types.generated.json');

interface GoPackage {
  /** Prefix of the definitions' names, `io.k8s.api.apps.v1`. */
  readonly name: string;
  readonly folder: string;
}

function moduleFolder(module: string): string {
  const answer = execFileSync('go', ['mod', 'download', '-json', `${module}@${VERSION}`], {
    cwd: '/tmp',
    encoding: 'utf8',
  });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}

function packages(): GoPackage[] {
  const api = moduleFolder('k8s.io/api');
  const found: GoPackage[] = [];
  for (const group of readdirSync(api)) {
    for (const version of ['v1', 'v2']) {
      const folder = join(api, group, version);
      if (existsSync(join(folder, 'types.go'))) found.push({ name: `io.k8s.api.${group}.${version}`, folder });
    }
  }
  const machinery = moduleFolder('k8s.io/apimachinery');
  const extensions = moduleFolder('k8s.io/apiextensions-apiserver');
  const aggregator = moduleFolder('k8s.io/kube-aggregator');
  const meta = 'pkg/apis/meta/v1';
  const crd = 'pkg/apis/apiextensions/v1';
  const registration = 'pkg/apis/apiregistration/v1';
  found.push({ name: 'io.k8s.apimachinery.pkg.apis.meta.v1', folder: join(machinery, meta) });
  found.push({ name: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1', folder: join(extensions, crd) });
  found.push({ name: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1', folder: join(aggregator, registration) });
  return found;
}

const FIELD = /^\t(?:([A-Za-z0-9_]+)\s+)?(\*?(?:\[\]|map\[[^\]]+\])*\*?[A-Za-z0-9_.]+)\s+`([^`]*)`/;

/** One struct as text: `name=NUMBER FLAGS` per field; flags p pointer, o omitempty, z omitzero, n nil-able (list, map, bytes). */
function describeStruct(body: string, packageName: string): string {
  const fields: string[] = [];
  for (const line of body.split('\n')) {
    const match = FIELD.exec(line);
    if (match === null) continue;
    const [, , type = '', tags = ''] = match;
    const json = /json:"([^"]*)"/.exec(tags)?.[1];
    const proto = /protobuf:"([^"]*)"/.exec(tags)?.[1];
    if (json === undefined || json === '-') continue;
    const [name = '', ...options] = json.split(',');
    const number = /^\w+,(\d+)/.exec(proto ?? '')?.[1] ?? '';
    if (options.includes('inline')) {
      if (number !== '') fields.push(`@${inlineName(type, packageName)}=${number}`);
      continue;
    }
    const flags = [
      type.startsWith('*') ? 'p' : '',
      options.includes('omitempty') ? 'o' : '',
      options.includes('omitzero') ? 'z' : '',
      /^(\[\]|map\[)/.test(type) ? 'n' : '',
    ].join('');
    fields.push(`${name}=${number}${flags}`);
  }
  return fields.join(' ');
}

function inlineName(type: string, packageName: string): string {
  const bare = type.replace(/^\*/, '');
  const [prefix, name] = bare.includes('.') ? bare.split('.') : ['', bare];
  if (prefix === 'v1' || prefix === 'corev1') return `io.k8s.api.core.v1.${name}`;
  return `${packageName}.${name}`;
}

function generate(): void {
  const types: Record<string, string> = {};
  for (const { name, folder } of packages()) {
    for (const file of readdirSync(folder)) {
      if (!/types(_\w+)?\.go$/.test(file) || file.includes('swagger') || file.endsWith('_test.go')) continue;
      const source = readFileSync(join(folder, file), 'utf8');
      for (const [, struct, body] of source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) {
        const described = describeStruct(body!, name);
        if (described !== '') types[`${name}.${struct}`] = described;
      }
    }
  }
  const sorted = Object.fromEntries(Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1)));
  const origin = `struct tags of k8s.io/api, apimachinery, apiextensions-apiserver, kube-aggregator ${VERSION}, by test/generate/go-types.ts`;
  const text = JSON.stringify({ origin, version: VERSION, types: sorted });
  writeFileSync(OUTPUT, `${text}\n`);
  console.log(`${OUTPUT}: ${text.length} bytes, ${Object.keys(types).length} types`);
}

generate();
