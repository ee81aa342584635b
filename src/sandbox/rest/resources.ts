// Owns running requests to resources: each verb to the file that does it, and its answer.

import { stringifyJson } from '../../lib/json.ts';
import type { Core } from '../core.ts';
import type { KubeObject } from '../object.ts';
import { keyOf } from '../storage/storage.ts';
import { type Answer, json, type Reply } from './answer.ts';
import { readBody } from './body.ts';
import { toVersion } from './convert.ts';
import { remove, removeCollection } from './delete.ts';
import { ApiError, methodNotAllowed, noSuchResource, notAcceptable, notFound } from './errors.ts';
import {
  entryJson,
  type ListRequest,
  listJson,
  listMeta,
  pageObjects,
  requireRevision,
  selectPage,
  unreadableRevision,
} from './list.ts';
import { readListOptions } from './list-options.ts';
import { createObject, updateObject, type Written } from './mutate.ts';
import { type Form, negotiate } from './negotiate.ts';
import { patch } from './patch.ts';
import { presentList, presentObject } from './present.ts';
import { listRequest, type ResourceRequest, requireName, verbOf, writeRequest } from './resource-request.ts';
import { scaleSubresource } from './scale.ts';
import { specialSubresource } from './special.ts';
import { startWatch } from './watch.ts';

const timers = {
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms).unref(),
  clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
};

/** Media types of watches, as the API server lists them. */
const STREAMS = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

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
      if (resource.namespaced && info.namespace === '') throw methodNotAllowed();
      return removeCollection(core, request);
    case 'delete':
      return remove(core, request);
    case 'create':
      if (info.name !== '') throw methodNotAllowed();
      if (resource.namespaced && info.namespace === '') throw methodNotAllowed();
      return written(core, request, createObject(core, writeRequest(request), readBody(core, request)));
    case 'update':
      if (info.name === '') throw methodNotAllowed();
      return written(core, request, updateObject(core, writeRequest(request), readBody(core, request)));
    default:
      if (info.name === '') throw methodNotAllowed();
      return written(core, request, patch(core, request));
  }
}

function serveSubresource(core: Core, request: ResourceRequest): Reply {
  const { info, resource, version } = request;
  const subresource = resource.subresources.get(version.name)?.get(info.subresource);
  if (subresource === undefined) {
    throw resource.custom
      ? notFound({ group: resource.group, resource: resource.plural }, info.name)
      : noSuchResource();
  }
  const verb = verbOf(request);
  if (!subresource.verbs.includes(verb)) throw methodNotAllowed();
  if (subresource.kind === 'Scale') return scaleSubresource(core, request);
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
  checkRevision(core, info.query.get('resourceVersion') ?? '');
  const entry = core.storage.get(resource.collection, keyOf(info.namespace, info.name));
  if (entry === undefined) throw notFound({ group: resource.group, resource: resource.plural }, info.name);
  if (form.as === 'object') return json(entryJson(resource, version, entry));
  return json(
    presentObject(core, form, { resource, version, query: info.query }, toVersion(resource, version, entry.object)),
  );
}

function checkRevision(core: Core, revision: string): void {
  if (revision !== '' && !/^\d+$/.test(revision)) throw new ApiError(500, '', unreadableRevision(revision));
  requireRevision(core, Number(revision));
}

function list(core: Core, request: ResourceRequest): Answer {
  const form = negotiate(request.headers.accept);
  const what = listRequest(request);
  const page = selectPage(core, what, readListOptions(what, 'list'));
  if (form.as === 'object') return json(listJson(what, page));
  return json(presentList(core, form, what, { objects: pageObjects(what, page), metadata: listMeta(page) }));
}

function watch(core: Core, request: ResourceRequest): Reply {
  const form: Form = negotiate(request.headers.accept);
  const what = listRequest(request);
  if (form.mediaType !== 'application/json') throw notAcceptable(STREAMS);
  // Parameters are checked before the stream starts, so that faults are plain answers.
  const options = readListOptions(what, 'watch');
  const present = form.as === 'object' ? undefined : watchPresenter(core, form, what);
  return { stream: (sink) => startWatch(core, what, sink, { ...options, present, timers }) };
}

/** Tables name their columns in the first event only. */
function watchPresenter(core: Core, form: Form, what: ListRequest): (object: KubeObject) => string {
  let first = true;
  return (object) => {
    const text = presentObject(core, form, { ...what, omitColumns: !first }, object);
    first = false;
    return text;
  };
}

function written(core: Core, request: ResourceRequest, result: Written): Answer {
  const form = negotiate(request.headers.accept);
  const { resource, version, info } = request;
  const status = result.created ? 201 : 200;
  const body =
    form.as !== 'object'
      ? presentObject(core, form, { resource, version, query: info.query }, result.object)
      : result.entry
        ? entryJson(resource, version, result.entry)
        : stringifyJson(result.object);
  return json(body, status);
}
