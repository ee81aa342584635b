// Owns the checks of pods beside their containers: volumes, policies, places. Source: pkg/apis/core/validation of
// Kubernetes 1.36. Pure.
import { isRecord } from '../../object.ts';
import { duplicateFault, type FieldFault, forbiddenFault, invalidFault, requiredFault } from '../../rest/errors.ts';
import { all, type Check, type CheckRules, CORE, dnsName, join, labelsIn, records, text, uniqueNames } from './rule.ts';

/** Mounts must name a volume of the pod. */
const mountsExist: Check = (spec, path) => {
  const names = new Set(records(spec['volumes']).map(({ name }) => name));
  return ['initContainers', 'containers'].flatMap((list) =>
    records(spec[list]).flatMap((container, i) =>
      records(container['volumeMounts']).flatMap(({ name }, j): FieldFault[] => {
        if (names.has(name)) return [];
        const field = `${join(path, list)}[${i}].volumeMounts[${j}].name`;
        return [{ type: 'FieldValueNotFound', field, message: `Not found: ${JSON.stringify(name ?? '')}` }];
      }),
    ),
  );
};

/** Init containers share the names of the others. */
const initNames: Check = (spec, path) => {
  const taken = new Set(records(spec['containers']).map(({ name }) => name));
  return records(spec['initContainers']).flatMap(({ name }, i) =>
    name !== undefined && taken.has(name) ? [duplicateFault(`${join(path, 'initContainers')}[${i}].name`, name)] : [],
  );
};

const MAX_SECONDS = 2 ** 31 - 1;

const deadline: Check = ({ activeDeadlineSeconds: seconds }, path) => {
  if (typeof seconds !== 'number' || (seconds >= 1 && seconds <= MAX_SECONDS)) return [];
  const why = `must be between 1 and ${MAX_SECONDS}, inclusive`;
  return [invalidFault(join(path, 'activeDeadlineSeconds'), seconds, why)];
};

/** Sources of volumes in the order in which the API server looks at them; the others come behind. */
const SOURCES = [
  'emptyDir',
  'hostPath',
  'secret',
  'nfs',
  'iscsi',
  'persistentVolumeClaim',
  'downwardAPI',
  'fc',
  'configMap',
  'projected',
  'csi',
  'ephemeral',
  'image',
];

const volumeSource: Check = (volume, path) => {
  const given = Object.keys(volume).filter((key) => key !== 'name' && isRecord(volume[key]));
  const order = (key: string): number => (SOURCES.indexOf(key) + SOURCES.length + 1) % (SOURCES.length + 1);
  return given
    .sort((a, b) => order(a) - order(b))
    .slice(1)
    .map((key) => forbiddenFault(`${path}.${key}`, 'may not specify more than 1 volume type'));
};

const toleration: Check = ({ key, operator, value, effect, tolerationSeconds }, path) => {
  const faults: FieldFault[] = [];
  if (text(key) === '' && operator !== 'Exists') {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    faults.push(invalidFault(join(path, 'operator'), operator ?? '', why));
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute')
    faults.push(
      invalidFault(join(path, 'effect'), effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    );
  if (operator === 'Exists' && text(value) !== '')
    faults.push(invalidFault(join(path, 'operator'), value, "value must be empty when `operator` is 'Exists'"));
  return faults;
};

const objectName =
  (field: string): Check =>
  (source, path) =>
    text(source[field]) === '' ? [requiredFault(join(path, field))] : [];

export const POD_CHECKS: CheckRules = {
  [`${CORE}PodSpec`]: {
    required: ['containers'],
    oneOf: {
      restartPolicy: ['Always', 'OnFailure', 'Never'],
      dnsPolicy: ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
    },
    extra: all(
      uniqueNames('containers'),
      initNames,
      uniqueNames('volumes'),
      mountsExist,
      deadline,
      labelsIn('nodeSelector'),
      dnsName('serviceAccountName', 'subdomain'),
    ),
  },
  [`${CORE}Volume`]: { required: ['name'], extra: volumeSource },
  [`${CORE}PersistentVolumeClaimVolumeSource`]: { extra: objectName('claimName') },
  [`${CORE}SecretVolumeSource`]: { extra: objectName('secretName') },
  [`${CORE}ConfigMapVolumeSource`]: { extra: objectName('name') },
  [`${CORE}Toleration`]: { extra: toleration },
};
