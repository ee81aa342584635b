// Owns the scale subresource: one kind of answer for every kind that has replicas.
import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import { cloneObject, isRecord, type KubeObject, readPath, writePath } from '../object.ts';
import { jsonPatch } from '../patch/json.ts';
import { mergePatch } from '../patch/merge.ts';
import type { Subresource } from '../registry.ts';
import type { Answer } from './answer.ts';
import { readBody } from './body.ts';
import { badRequest, invalid, invalidFault, notFound } from './errors.ts';
import { patchObject, readLive } from './mutate.ts';
import { bodyFault } from './prepare.ts';
import { type ResourceRequest, verbOf, writeRequest } from './resource-request.ts';

interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  readonly selector: readonly string[] | undefined;
}

const BUILTIN: ScalePaths = {
  spec: ['spec', 'replicas'],
  status: ['status', 'replicas'],
  selector: ['spec', 'selector'],
};

function pathsOf(request: ResourceRequest): ScalePaths {
  const scale = request.version.custom?.scale;
  if (scale === undefined) return BUILTIN;
  const steps = (path: string): string[] => path.replace(/^\./, '').split('.');
  return {
    spec: steps(scale.specReplicasPath),
    status: steps(scale.statusReplicasPath),
    selector: scale.labelSelectorPath ? steps(scale.labelSelectorPath) : undefined,
  };
}

/** A selector as the text that scale's status shows. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector;
  if (!isRecord(selector)) return '';
  const labels = isRecord(selector['matchLabels'])
    ? selector['matchLabels']
    : selector['matchExpressions']
      ? {}
      : selector;
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`);
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  for (const expression of expressions) {
    if (!isRecord(expression)) continue;
    const values = Array.isArray(expression['values']) ? `(${expression['values'].join(',')})` : '';
    const key = String(expression['key']);
    const operator = String(expression['operator']);
    parts.push(
      operator === 'Exists'
        ? key
        : operator === 'DoesNotExist'
          ? `!${key}`
          : `${key} ${operator.toLowerCase()} ${values}`,
    );
  }
  return parts.sort().join(',');
}

function scaleOf(live: KubeObject, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = live.metadata;
  const selector = paths.selector ? selectorText(readPath(live, paths.selector)) : '';
  const replicas = readPath(live, paths.spec);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace ? { namespace } : {}),
      uid,
      resourceVersion,
      creationTimestamp,
    } as KubeObject['metadata'],
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: readPath(live, paths.status) ?? 0, ...(selector ? { selector } : {}) },
  };
}

/** Answers a request to `…/scale`. */
export function scaleSubresource(core: Core, request: ResourceRequest, _subresource: Subresource): Answer {
  const { resource, info } = request;
  const paths = pathsOf(request);
  const live = readLive(core, { ...request, namespace: info.namespace, name: info.name });
  if (live === undefined) throw notFound({ group: resource.group, resource: resource.plural }, info.name);
  const verb = verbOf(request);
  const current = scaleOf(live, paths);
  if (verb === 'get') return { status: 200, body: stringifyJson(current) };
  const wanted = verb === 'update' ? readBody(core, request) : patched(core, request, current);
  const replicas = readPath(wanted, ['spec', 'replicas']) ?? 0;
  if (typeof replicas !== 'number')
    throw badRequest(
      'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32',
    );
  if (replicas < 0) {
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, info.name, [
      invalidFault('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const write = { ...writeRequest({ ...request }), subresource: '' };
  const revision = readPath(wanted, ['metadata', 'resourceVersion']);
  const written = patchObject(
    core,
    { ...write, subresource: 'scale' },
    (object) => {
      const next = cloneObject(object) as KubeObject;
      writePath(next, paths.spec, replicas);
      if (typeof revision === 'string' && revision !== '') next.metadata.resourceVersion = revision;
      return next;
    },
    bodyFault(write),
  );
  return { status: 200, body: stringifyJson(scaleOf(written.object, paths)) };
}

function patched(core: Core, request: ResourceRequest, current: KubeObject): unknown {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim();
  const body: unknown = readBody(core, {
    ...request,
    headers: { ...request.headers, 'content-type': type.endsWith('+yaml') ? 'application/yaml' : 'application/json' },
  });
  return type === 'application/json-patch+json' ? jsonPatch(current, body) : mergePatch(current, body);
}
