// Owns the one fake node that everything runs on.
import type { Clock } from '../../lib/clock.ts';
import { formatTime } from '../../lib/time.ts';
import type { Store } from '../store.ts';
import { RESOURCES } from './types.ts';

const NAME = 'node-0';
const ROOM = { cpu: '64', 'ephemeral-storage': '1Ti', memory: '256Gi', pods: '10k' };

const CONDITIONS = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

/** Makes the node unless there is one already (a restart keeps what was stored). */
export function ensureNode(store: Store, clock: Clock, version: string): void {
  if (store.list(RESOURCES.nodes).length > 0) return;
  const time = formatTime(clock.now());
  const node = store.create(RESOURCES.nodes, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: NAME,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': NAME,
        'kubernetes.io/os': 'linux',
      },
    },
    spec: {},
  });
  const status = {
    addresses: [
      { address: '127.0.0.1', type: 'InternalIP' },
      { address: NAME, type: 'Hostname' },
    ],
    allocatable: ROOM,
    capacity: ROOM,
    conditions: CONDITIONS.map(([type, status, reason, message]) => {
      return { type, status, reason, message, lastHeartbeatTime: time, lastTransitionTime: time };
    }),
    nodeInfo: {
      architecture: 'amd64',
      bootID: '',
      containerRuntimeVersion: 'containerd://2.0.0',
      kernelVersion: '6.12.0',
      kubeProxyVersion: '',
      kubeletVersion: version,
      machineID: '',
      operatingSystem: 'linux',
      osImage: 'fake',
      systemUUID: '',
    },
  };
  store.update(RESOURCES.nodes, { ...node, status }, { subresource: 'status', manager: 'kubelet' });
}
