// Generates src/sandbox/schema/internal-types.generated.json: the fields of pods' and claims' specs in the API server's
// own (unversioned) Go types, in their order. Messages of forbidden changes print them.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = 'v1.36.3';
const SOURCE = 'pkg/apis/core/types.go';
const ROOTS = ['PodSpec', 'PersistentVolumeClaimSpec'];
const OUTPUT = join(import.meta.dirname, '../../src/sandbox/schema/internal-types.generated.json');

/** What a type outside the file is in JSON: `=` for what is printed as it is. */
const FOREIGN: Readonly<Record<string, string>> = {
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'number',
  'metav1.LabelSelector': '=',
  'metav1.Time': '=',
  'metav1.ObjectMeta': '=',
  'types.UID': 'text',
};
const BASIC: Readonly<Record<string, string>> = {
  string: 'text',
  bool: 'flag',
  byte: 'number',
  int: 'number',
  int32: 'number',
  int64: 'number',
  uint32: 'number',
};

const FIELD = /^\t(?:(\w+)\s+)?((?:\*|\[\]|map\[\w+\])*[\w.]+)(?:\s+`[^`]*`)?\s*(?:\/\/.*)?$/;

function generate(): void {
  const answer = execFileSync('go', ['mod', 'download', '-json', `k8s.io/kubernetes@${VERSION}`], {
    cwd: '/tmp',
    encoding: 'utf8',
  });
  const source = readFileSync(join((JSON.parse(answer) as { Dir: string }).Dir, SOURCE), 'utf8');
  const structs = new Map<string, string>();
  for (const [, name, body] of source.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm)) structs.set(name!, body!);
  const aliases = new Map<string, string>();
  for (const [, name, target] of source.matchAll(/^type (\w+) ((?:map\[\w+\])?[\w.]+)$/gm)) aliases.set(name!, target!);

  const types: Record<string, string> = {};
  /** A Go type in short: `*T`, `[]T`, `{}T` for a map, and at the end a struct's name or a basic word. */
  const resolve = (type: string): string => {
    const prefix = /^(\*|\[\]|map\[\w+\])/.exec(type)?.[1];
    if (prefix !== undefined) return `${prefix.startsWith('map') ? '{}' : prefix}${resolve(type.slice(prefix.length))}`;
    const known = BASIC[type] ?? FOREIGN[type];
    if (known !== undefined) return known;
    const target = aliases.get(type);
    if (target !== undefined) return resolve(target);
    if (!structs.has(type)) throw new Error(`what is ${type}?`);
    describe(type);
    return type;
  };
  const describe = (name: string): void => {
    if (name in types) return;
    types[name] = '';
    const fields: string[] = [];
    for (const line of structs.get(name)!.split('\n')) {
      const [, field, type] = FIELD.exec(line) ?? [];
      if (type === undefined) continue;
      // An embedded struct has no name: its fields are those of its owner.
      fields.push(`${field ?? ''}:${resolve(type)}`);
    }
    types[name] = fields.join(' ');
  };
  for (const root of ROOTS) describe(root);
  const sorted = Object.fromEntries(Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1)));
  const origin = `${SOURCE} of k8s.io/kubernetes ${VERSION}, by test/generate/internal-types.ts`;
  const text = JSON.stringify({ origin, version: VERSION, types: sorted });
  writeFileSync(OUTPUT, `${text}\n`);
  console.log(`${OUTPUT}: ${text.length} bytes, ${Object.keys(types).length} types`);
}

generate();
