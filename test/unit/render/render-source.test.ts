// What was decrypted for a build is in none of its failures (threats.md row 10).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Kustomization } from '../../../src/api/kustomize/kustomization.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { createMemoryTree } from '../../../src/lib/memory-tree.ts';
import type { Inputs } from '../../../src/render/inputs.ts';
import { renderSource } from '../../../src/render/render-source.ts';

const CANARY = 'canary-4f1c';
const bytesOf = (path: string): Buffer => readFileSync(resolve('test/cases/sops', path));
const keys: JsonObject = { data: { 'a.agekey': bytesOf('keys/throwaway.agekey').toString('base64') } };
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\n';

async function render(files: Record<string, string | Buffer>, spec: object = {}) {
  const object = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'app', namespace: 'ns' },
    spec: {
      interval: '1m',
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'x' },
      decryption: { provider: 'sops' },
      ...spec,
    },
  } as unknown as Kustomization;
  const ageSecret = { namespace: 'flux-system', name: 'age' };
  const inputs: Inputs = new Map([['Secret/flux-system/age', keys]]);
  const settings = { strict: true, ageSecret };
  const built = await renderSource(createMemoryTree(files), object, inputs, { settings });
  if (built.state === 'missing') throw new Error('nothing is fetched here');
  return built.rendered;
}

describe('renderSource', () => {
  it('hides a decrypted patch that cannot be read as one', async () => {
    const kustomization = 'resources: [cm.yaml]\npatches: [{path: p.txt, target: {kind: ConfigMap}}]\n';

    const failing = render({
      'kustomization.yaml': kustomization,
      'cm.yaml': configMap,
      'p.txt': bytesOf('binary/input.txt'),
    });

    const message = await failing.then(String, (error: Error) => error.message);
    expect(message).toMatch(/^kustomize build failed: .*unable to parse SM or JSON patch/s);
    expect(message).not.toContain(CANARY);
  });

  it('decrypts with the keys of all where a spec names none, and tells what was secret', async () => {
    const kustomization =
      'resources: [cm.yaml]\nconfigMapGenerator: []\nsecretGenerator:\n- name: s\n  files: [x.txt]\n';

    const { objects, secrets } = await render({
      'kustomization.yaml': kustomization,
      'cm.yaml': configMap,
      'x.txt': bytesOf('binary/input.txt'),
    });

    expect(objects.map(({ kind }) => kind).sort()).toEqual(['ConfigMap', 'Secret']);
    expect(secrets.some((value) => value.includes(CANARY))).toBe(true);
  });

  it('hides what was decrypted of objects that are no Secrets', async () => {
    const { secrets } = await render({
      'x.yaml': bytesOf('secret-regex/input.yaml').toString().replace('kind: Secret', 'kind: Widget'),
    });

    expect(secrets.length).toBeGreaterThan(0);
  });

  it('names the Secret of all that is not there', async () => {
    const object = { decryption: { provider: 'sops', secretRef: { name: 'own' } } };

    await expect(render({ 'cm.yaml': configMap }, object)).rejects.toThrow(
      `cannot get decryption Secret 'ns/own': secrets "own" not found`,
    );
  });
});
