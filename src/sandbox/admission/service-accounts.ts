// Owns what a new pod gets from its ServiceAccount: the mounted token and the pull secrets. The account's name is set
// by workloads.ts before this.
import type { AdmissionStep, Core, WriteRequest } from '../core.ts';
import { isRecord, type KubeObject } from '../object.ts';
import { forbidden } from '../rest/errors.ts';
import { keyOf } from '../storage/storage.ts';

type Body = Record<string, unknown>;

const VOLUME_PREFIX = 'kube-api-access-';
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const MIRROR_POD = 'kubernetes.io/config.mirror';
/** Tokens are said to last an hour, and seven seconds more that tell them apart from ones asked for by hand. */
const EXPIRATION_SECONDS = 3607;

const SOURCES = [
  { serviceAccountToken: { expirationSeconds: EXPIRATION_SECONDS, path: 'token' } },
  { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
  { downwardAPI: { items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }] } },
];

export const serviceAccountStep: AdmissionStep = {
  kind: '/Pod',
  admit(core, write, object, live) {
    if (live !== undefined || write.subresource !== '') return object;
    if (object.metadata.annotations?.[MIRROR_POD] !== undefined) return object;
    const spec = { ...(object['spec'] as Body) };
    const account = findAccount(core, write, object, String(spec['serviceAccountName']));
    if ((spec['automountServiceAccountToken'] ?? account['automountServiceAccountToken']) !== false) {
      mountToken(core, spec);
    }
    const secrets = account['imagePullSecrets'];
    if (!isFilled(spec['imagePullSecrets']) && isFilled(secrets)) spec['imagePullSecrets'] = secrets;
    return { ...object, spec };
  },
};

/** The account; one named `default` may still be on its way in a new namespace. */
function findAccount(core: Core, write: WriteRequest, pod: KubeObject, name: string): Body {
  const { namespace } = write;
  const accounts = core.registry.find('', 'serviceaccounts');
  const entry = accounts && core.storage.get(accounts.collection, keyOf(namespace, name));
  if (entry !== undefined) return entry.object;
  if (name === 'default') return {};
  const why = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
  throw forbidden({ group: '', resource: 'pods' }, pod.metadata.name, why);
}

function mountToken(core: Core, spec: Body): void {
  const volumes = listOf(spec['volumes']);
  const existing = volumes.map((volume) => String(volume['name'])).find((name) => name.startsWith(VOLUME_PREFIX));
  const name = existing ?? `${VOLUME_PREFIX}${core.randomSuffix()}`;
  let isNeeded = false;
  for (const list of ['initContainers', 'containers']) {
    if (!Array.isArray(spec[list])) continue;
    spec[list] = listOf(spec[list]).map((container) => {
      const mounts = listOf(container['volumeMounts']);
      if (mounts.some((mount) => mount['mountPath'] === MOUNT_PATH)) return container;
      isNeeded = true;
      return { ...container, volumeMounts: [...mounts, { mountPath: MOUNT_PATH, name, readOnly: true }] };
    });
  }
  if (isNeeded && existing === undefined) {
    spec['volumes'] = [...volumes, { name, projected: { defaultMode: 420, sources: SOURCES } }];
  }
}

function listOf(value: unknown): Body[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
