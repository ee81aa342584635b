// Owns subresources that are neither a view of the object nor its scale: bindings, evictions, tokens, logs. Those that
// need a running container are refused by name.
import { stringifyJson } from '../../lib/json.ts';
import { issueToken } from '../auth/tokens.ts';
import type { Core } from '../core.ts';
import { timestamp } from '../core.ts';
import type { Identity } from '../identity.ts';
import { isRecord, type KubeObject, readPath } from '../object.ts';
import type { Subresource } from '../registry.ts';
import { keyOf } from '../storage/storage.ts';
import { type Answer, json, type Reply } from './answer.ts';
import { readBody } from './body.ts';
import { ApiError, badRequest, conflict, invalid, invalidFault, notFound } from './errors.ts';
import { removeObject } from './remove.ts';
import type { ResourceRequest } from './resource-request.ts';

type Handler = (core: Core, request: ResourceRequest, live: KubeObject) => Reply;

/** The identity that signs tokens, by core; set when the server starts. */
export const identities = new WeakMap<Core, Identity>();

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

/** Assigns a pod to a node. */
const bind: Handler = (core, request, live) => {
  const node = readPath(readBody(core, request), ['target', 'name']);
  if (typeof node !== 'string' || node === '') throw badRequest('target.name is required');
  const { resource, info } = request;
  if (readPath(live, ['spec', 'nodeName'])) {
    const why = `pod ${info.name} is already assigned to node ${JSON.stringify(readPath(live, ['spec', 'nodeName']))}`;
    throw conflict({ group: '', resource: 'pods/binding' }, info.name, why);
  }
  const status = isRecord(live['status']) ? live['status'] : {};
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] : [];
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(core.now()),
  };
  core.storage.put(resource.collection, keyOf(info.namespace, info.name), {
    ...live,
    spec: { ...(live['spec'] as object), nodeName: node },
    status: {
      ...status,
      conditions: [
        ...conditions.filter((condition) => !isRecord(condition) || condition['type'] !== 'PodScheduled'),
        scheduled,
      ],
    },
  });
  return json(JSON.stringify(SUCCESS), 201);
};

/** Deletes a pod unless a disruption budget forbids it. */
const evict: Handler = (core, request, live) => {
  const { resource, info } = request;
  const body = readBody(core, request);
  if ((readPath(body, ['metadata', 'name']) ?? info.name) !== info.name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const labels = live.metadata.labels ?? {};
  for (const { object: budget } of core.storage.list('policy/poddisruptionbudgets', `${info.namespace}/`)) {
    const selector = readPath(budget, ['spec', 'selector', 'matchLabels']);
    const selects = isRecord(selector) && Object.entries(selector).every(([key, value]) => labels[key] === value);
    if (!selects || Number(readPath(budget, ['status', 'disruptionsAllowed']) ?? 0) > 0) continue;
    throw new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
      causes: [
        {
          reason: 'DisruptionBudget',
          message: `The disruption budget ${budget.metadata.name} needs more healthy pods`,
        },
      ],
    });
  }
  const grace = readPath(body, ['deleteOptions', 'gracePeriodSeconds']);
  removeObject(core, resource, info, typeof grace === 'number' ? { gracePeriodSeconds: grace } : {});
  return json(JSON.stringify(SUCCESS), 201);
};

const HOUR_S = 3600;
const SHORTEST_S = 600;

const LONGEST_S = 2 ** 32;

function checkLifetime(seconds: number): void {
  const why =
    seconds < SHORTEST_S
      ? 'may not specify a duration less than 10 minutes'
      : seconds > LONGEST_S
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (why === undefined) return;
  throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
    invalidFault('spec.expirationSeconds', seconds, why),
  ]);
}

/** A token may be bound to a pod or secret, which must be there. */
function checkBound(core: Core, namespace: string, reference: unknown): void {
  if (!isRecord(reference)) return;
  const kind = String(reference['kind']);
  const name = String(reference['name']);
  const plural = kind === 'Pod' ? 'pods' : kind === 'Secret' ? 'secrets' : kind === 'Node' ? 'nodes' : undefined;
  if (plural === undefined)
    throw badRequest(`cannot bind token to object of type ${String(reference['apiVersion'])}, Kind=${kind}`);
  const key = plural === 'nodes' ? name : keyOf(namespace, name);
  if (core.storage.get(`/${plural}`, key) === undefined) throw notFound({ group: '', resource: plural }, name);
}

/** Issues a token for a ServiceAccount. */
const token: Handler = (core, request, live) => {
  const identity = identities.get(core);
  if (identity === undefined) throw new ApiError(501, 'NotImplemented', 'tokens need a started server');
  const body = readBody(core, request);
  const spec = readPath(body, ['spec']);
  const given = isRecord(spec) ? spec : {};
  const seconds = typeof given['expirationSeconds'] === 'number' ? given['expirationSeconds'] : HOUR_S;
  checkLifetime(seconds);
  checkBound(core, request.info.namespace, given['boundObjectRef']);
  const issued = Math.floor(core.now().getTime() / 1000);
  const audiences =
    Array.isArray(given['audiences']) && given['audiences'].length > 0
      ? given['audiences'].map(String)
      : ['https://kubernetes.default.svc.cluster.local'];
  const text = issueToken(identity, {
    id: core.uuid(),
    namespace: request.info.namespace,
    name: live.metadata.name,
    uid: live.metadata.uid ?? '',
    audiences,
    issued,
    expires: issued + seconds,
  });
  const answer = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: live.metadata.name, namespace: request.info.namespace, creationTimestamp: timestamp(core.now()) },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: given['boundObjectRef'] ?? null },
    status: { token: text, expirationTimestamp: timestamp(new Date((issued + seconds) * 1000)) },
  };
  return json(stringifyJson(answer), 201);
};

/** No container runs here, so the log says which one would have. */
const log: Handler = (_core, request, live): Answer => {
  const containers = readPath(live, ['spec', 'containers']);
  const names = (Array.isArray(containers) ? containers.filter(isRecord) : []).map((container) =>
    String(container['name']),
  );
  const wanted = request.info.query.get('container') ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined) {
    throw badRequest(
      `a container name must be specified for pod ${live.metadata.name}, choose one of: [${names.join(' ')}]`,
    );
  }
  if (!names.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${live.metadata.name}`);
  const started = readPath(live, ['status', 'startTime']);
  if (started === undefined) {
    throw badRequest(
      `container ${JSON.stringify(wanted)} in pod ${JSON.stringify(live.metadata.name)} is waiting to start: ContainerCreating`,
    );
  }
  const line = `${request.info.query.get('timestamps') === 'true' ? `${String(started)} ` : ''}container ${wanted} of the embedded API server: nothing runs here\n`;
  return { status: 200, body: line, contentType: 'text/plain' };
};

/** By `group/plural/subresource`. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  '/pods/binding': bind,
  '/pods/eviction': evict,
  '/pods/log': log,
  '/serviceaccounts/token': token,
};

/** Answers a request to such a subresource. */
export function specialSubresource(core: Core, request: ResourceRequest, subresource: Subresource): Reply {
  const { resource, info } = request;
  const handler = HANDLERS[`${resource.group}/${resource.plural}/${subresource.name}`];
  const live = core.storage.get(resource.collection, keyOf(info.namespace, info.name))?.object;
  if (live === undefined) throw notFound({ group: resource.group, resource: resource.plural }, info.name);
  if (handler === undefined) {
    throw new ApiError(
      501,
      'NotImplemented',
      `the embedded API server has no ${resource.plural}/${subresource.name}: it runs no containers`,
    );
  }
  return handler(core, request, live);
}
