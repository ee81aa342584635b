// Owns running requests to resources: each verb to the file that does it, and its answer.

import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { keyOf } from '../storage/storage.ts';
import type { Answer, Reply } from './answer.ts';
import { readBody } from './body.ts';
import { toVersion } from './convert.ts';
import { remove, removeCollection } from './delete.ts';
import { methodNotAllowed, noSuchResource, notFound } from './errors.ts';
import { entryJson, listJson, listMeta, matcherOf, pageObjects, selectPage } from './list.ts';
import { createObject, updateObject, type Written } from './mutate.ts';
import { patch } from './patch.ts';
import { type Form, negotiate, presentList, presentObject } from './present.ts';
import {
  answer,
  listRequest,
  type ResourceRequest,
  requireName,
  verbOf,
  warningsOf,
  writeRequest,
} from './resource-request.ts';
import { scaleSubresource } from './scale.ts';
import { specialSubresource } from './special.ts';
import { startWatch } from './watch.ts';

const timers = {
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms).unref(),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
};

/** Answers a request to a resource. Throws ApiError. */
export function serveResource(core: Core, request: ResourceRequest): Reply {
  const { info, resource } = request;
  if (info.subresource !== '') return serveSubresource(core, request);
  const verb = verbOf(request);
  if (!resource.verbs.includes(verb)) throw methodNotAllowed();
  switch (verb) {
    case 'get':
      return getOne(core, request);
    case 'list':
      return list(core, request);
    case 'watch':
      return watch(core, request);
    case 'deletecollection':
      return removeCollection(core, request);
    case 'delete':
      return remove(core, request);
    case 'create':
      if (info.name !== '') throw methodNotAllowed();
      if (resource.namespaced && info.namespace === '') throw methodNotAllowed();
      return written(core, request, createObject(core, writeRequest(request), readBody(core, request)));
    case 'update':
      return written(core, request, updateObject(core, writeRequest(request), readBody(core, request)));
    default:
      return written(core, request, patch(core, request));
  }
}

function serveSubresource(core: Core, request: ResourceRequest): Reply {
  const { info, resource, version } = request;
  const subresource = resource.subresources.get(version.name)?.get(info.subresource);
  if (subresource === undefined) throw noSuchResource();
  const verb = verbOf(request);
  if (!subresource.verbs.includes(verb)) throw methodNotAllowed();
  if (subresource.kind === 'Scale') return scaleSubresource(core, request, subresource);
  if (!['status', 'finalize', 'approval', 'resize', 'ephemeralcontainers'].includes(info.subresource))
    return specialSubresource(core, request, subresource);
  if (verb === 'get') return getOne(core, request);
  if (verb === 'update')
    return written(core, request, updateObject(core, writeRequest(request), readBody(core, request)));
  return written(core, request, patch(core, request));
}

function getOne(core: Core, request: ResourceRequest): Answer {
  requireName(request);
  const { resource, version, info } = request;
  const form = negotiate(request.headers.accept);
  const entry = core.storage.get(resource.collection, keyOf(info.namespace, info.name));
  if (entry === undefined) throw notFound({ group: resource.group, resource: resource.plural }, info.name);
  if (form === 'json') return answer(request, entryJson(resource, version, entry));
  return answer(
    request,
    presentObject(core, form, { resource, version, query: info.query }, toVersion(resource, version, entry.object)),
  );
}

function list(core: Core, request: ResourceRequest): Answer {
  const form = negotiate(request.headers.accept);
  const what = listRequest(request);
  const page = selectPage(core, what);
  if (form === 'json') return answer(request, listJson(what, page));
  return answer(request, presentList(core, form, what, { objects: pageObjects(what, page), metadata: listMeta(page) }));
}

function watch(core: Core, request: ResourceRequest): Reply {
  const form: Form = negotiate(request.headers.accept);
  const what = listRequest(request);
  // Parameters are checked before the stream starts, so that faults are plain answers.
  matcherOf(what);
  const present = form === 'json' ? undefined : (object: KubeObject) => presentObject(core, form, what, object);
  return { stream: (sink) => startWatch(core, what, sink, { present, timers }) };
}

function written(
  core: Core,
  request: ResourceRequest,
  result: Written & { readonly warnings?: readonly string[] },
): Answer {
  const form = negotiate(request.headers.accept);
  const { resource, version, info } = request;
  const status = result.created ? 201 : 200;
  const body =
    form !== 'json'
      ? presentObject(core, form, { resource, version, query: info.query }, result.object)
      : result.entry
        ? entryJson(resource, version, result.entry)
        : stringifyJson(result.object);
  return answer(request, body, status, warningsOf.get(request) ?? []);
}
