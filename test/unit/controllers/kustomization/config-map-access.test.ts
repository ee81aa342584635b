// The cluster that a ConfigMap describes (flux.md §4.1 kubeConfig.configMapRef, threats.md rows 6 and 9).
import { describe, expect, it } from 'vitest';
import type { Kustomization } from '../../../../src/api/kustomize/kustomization.ts';
import {
  type ConfigMapAccessOptions,
  configMapAccess,
  type TokenSubject,
} from '../../../../src/controllers/kustomization/config-map-access.ts';

const object = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name: 'app', namespace: 'ns' },
  spec: { kubeConfig: { configMapRef: { name: 'remote' } } },
} as unknown as Kustomization;
const data = { provider: 'generic', address: 'API.example.com', serviceAccountName: 'tenant', 'ca.crt': 'PEM' };

function open(change: Record<string, string | undefined>, options: Partial<ConfigMapAccessOptions> = {}) {
  const asked: TokenSubject[] = [];
  const access = configMapAccess(
    object,
    { data: JSON.parse(JSON.stringify({ ...data, ...change })) },
    {
      isEnabled: true,
      defaultServiceAccount: '',
      tokenOf: async (subject) => {
        asked.push(subject);
        return 'token';
      },
      ...options,
    },
  );
  return { access, asked };
}

describe('a cluster of a ConfigMap', () => {
  it('is reached with a token of the ServiceAccount that is meant for it', async () => {
    const { access, asked } = open({});

    expect(access).toMatchObject({ server: 'https://api.example.com:443', tls: { ca: 'PEM' } });
    expect(await access.authorization?.()).toBe('Bearer token');
    expect(asked).toEqual([{ namespace: 'ns', name: 'tenant', audiences: ['API.example.com'] }]);
  });

  it('may name audiences, and leave the ServiceAccount to the default', async () => {
    const { access, asked } = open(
      {
        audiences: 'one\n\n two \n',
        serviceAccountName: undefined,
        address: 'https://[::1]:6443/x',
        'ca.crt': undefined,
      },
      { defaultServiceAccount: 'fallback' },
    );

    await access.authorization?.();
    expect(access).toMatchObject({ server: 'https://[::1]:6443', tls: {} });
    expect(asked).toEqual([{ namespace: 'ns', name: 'fallback', audiences: ['one', 'two'] }]);
  });

  it('says for whom there is no token', async () => {
    const refused = () => Promise.reject(new Error('serviceaccounts "tenant" not found'));

    await expect(open({}, { tokenOf: refused }).access.authorization?.()).rejects.toThrow(
      `failed to create kubernetes token for service account 'ns/tenant': serviceaccounts "tenant" not found`,
    );
  });

  it.each([
    [{ provider: 'aws' }, {}, "provider 'aws' of ConfigMap 'ns/remote' is not supported: use 'generic'"],
    [{ provider: 'constructor' }, {}, "names the provider 'constructor', which there is none of"],
    [{ serviceAccountName: '' }, {}, "ConfigMap 'ns/remote' has no 'serviceAccountName'"],
    [{}, { isEnabled: false }, 'ObjectLevelWorkloadIdentity feature gate is not enabled'],
    [{ address: '' }, {}, 'cluster address is required to create a REST config'],
    [
      { address: 'http://169.254.169.254' },
      {},
      "the Kubernetes API server address 'http://169.254.169.254' must use https scheme",
    ],
    [{ address: 'a b' }, {}, 'failed to parse cluster address a b: it is no URL'],
  ])('refuses %j', (change, options, message) => {
    expect(() => open(change, options)).toThrow(message);
  });
});
