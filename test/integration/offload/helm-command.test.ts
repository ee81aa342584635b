// `helm template` where the main stack is too small and where the output is no text: what helm 3.22 prints.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { helmTemplate } from '../../../src/cli/helm.ts';
import { temporaryFolder } from '../../support/git.ts';
import { recordIo } from '../../support/recorded-io.ts';

const { dir, remove } = temporaryFolder('helm');
afterAll(remove);

async function template(name: string, files: Readonly<Record<string, string | Uint8Array>>, ...flags: string[]) {
  const all = { 'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n', ...files };
  for (const [path, data] of Object.entries(all)) {
    mkdirSync(dirname(join(dir, name, path)), { recursive: true });
    writeFileSync(join(dir, name, path), data);
  }
  const chunks: Uint8Array[] = [];
  const io = recordIo(dir);
  const code = await helmTemplate(['rel', name, ...flags], {
    ...io,
    stdout: (chunk) => void chunks.push(Buffer.from(chunk)),
  });
  return { code, bytes: Buffer.concat(chunks), stderr: io.written().stderr };
}

const HELPER =
  '{{- define "f" }}{{ if gt (int .) 0 }}{{ include "f" (sub (int .) 1) }}{{ else }}done{{ end }}{{ end }}';

describe('helm template', () => {
  it('includes a template a thousand times inside itself', async () => {
    const files = { 'templates/_h.tpl': HELPER, 'templates/a.yaml': 'a: {{ include "f" (.Values.depth) }}\n' };

    const { code, bytes, stderr } = await template('deep', files, '--set', 'depth=1000');

    expect({ code, text: bytes.toString('utf8'), stderr }).toEqual({
      code: 0,
      text: '---\n# Source: c/templates/a.yaml\na: done\n',
      stderr: '',
    });
  });

  it('refuses the next one with all its places', async () => {
    const files = { 'templates/_h.tpl': HELPER, 'templates/a.yaml': 'a: {{ include "f" 1001 }}\n' };

    const { code, stderr } = await template('deeper', files);

    const inner =
      'template: c/templates/_h.tpl:1:41: executing "f" at <include "f" (sub (int .) 1)>: error calling include: ';
    expect(code).toBe(1);
    expect(stderr).toBe(
      `Error: template: c/templates/a.yaml:1:6: executing "c/templates/a.yaml" at <include "f" 1001>: error calling include: ${inner.repeat(1001)}rendering template has a nested reference name: f: unable to execute template\n\nUse --debug flag to render out invalid YAML\n`,
    );
  });

  it('prints bytes that are no text as they are', async () => {
    const crd = Buffer.from('# \xff\xfe\nkind: X\n', 'latin1');

    const { bytes } = await template('bytes', { 'crds/a.yaml': crd }, '--include-crds');

    expect(bytes.toString('latin1')).toBe('---\n# Source: c/crds/a.yaml\n# \xff\xfe\nkind: X\n');
  });
});
