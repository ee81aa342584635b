// Owns kinds that are computed and not stored: access reviews, token reviews, who am I.
import { stringifyJson } from '../../lib/json.ts';
import { type Caller, type Core, timestamp } from '../core.ts';
import type { Identity } from '../identity.ts';
import { isRecord, type KubeObject } from '../object.ts';
import { json, type Reply } from '../rest/answer.ts';
import { readBody } from '../rest/body.ts';
import { badRequest, type FieldFault, formatValue, invalid, invalidFault } from '../rest/errors.ts';
import { ownedObject } from '../rest/mutate.ts';
import { type ResourceRequest, verbOf, writeRequest } from '../rest/resource-request.ts';
import { verifyBearer } from './authenticate.ts';
import { type Action, findPermission } from './authorize.ts';
import { type PolicyRule, rulesFor } from './rbac.ts';
import { ISSUER } from './tokens.ts';

type Body = Record<string, unknown>;

interface ReviewContext {
  readonly core: Core;
  readonly identity: Identity;
  readonly caller: Caller;
  /** Namespace of the request's path. */
  readonly namespace: string;
  /** The whole review as it was sent. */
  readonly review: KubeObject;
}

/** Computes the status of a review from its spec, and what else its answer has. Throws ApiError. */
type Review = (spec: Body, context: ReviewContext) => { readonly status: Body; readonly metadata?: Body };

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

interface Attributes {
  readonly resource: Body | undefined;
  readonly other: Body | undefined;
}

function attributesOf(spec: Body): Attributes {
  const part = (name: string): Body | undefined => (isRecord(spec[name]) ? spec[name] : undefined);
  return { resource: part('resourceAttributes'), other: part('nonResourceAttributes') };
}

function actionOf({ resource, other }: Attributes): Action {
  return {
    verb: text((resource ?? other)?.['verb']),
    group: text(resource?.['group']),
    resource: text(resource?.['resource']),
    subresource: text(resource?.['subresource']),
    namespace: text(resource?.['namespace']),
    name: text(resource?.['name']),
    path: text(other?.['path']),
  };
}

/** The faults that all access reviews may have. */
function accessFaults({ resource, other }: Attributes): FieldFault[] {
  if (resource && other) return [nonResourceFault(other, 'cannot be specified in combination with resourceAttributes')];
  if (resource || other) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [invalidFault('spec.resourceAttributes', null, why)];
}

/** Here the API server prints its own structure, not the JSON of the request. */
function nonResourceFault(other: Body, why: string): FieldFault {
  return invalidFault('spec.nonResourceAttributes', { Path: text(other['path']), Verb: text(other['verb']) }, why);
}

function metadataFaults({ metadata }: KubeObject, allowed: readonly string[], why: string): FieldFault[] {
  const given = Object.entries(metadata).filter(([key, value]) => !allowed.includes(key) && value !== '');
  if (given.every(([key]) => key === 'managedFields')) return [];
  return [invalidFault('metadata', Object.fromEntries(given), why)];
}

function refuse(faults: readonly FieldFault[]): void {
  // The API server leaves the kind out.
  if (faults.length > 0) throw invalid({ group: 'authorization.k8s.io', kind: '' }, '', faults);
}

function access(core: Core, caller: Caller, attributes: Attributes): Body {
  const reason = findPermission(core, caller, actionOf(attributes));
  if (reason === undefined) return { allowed: false };
  return reason === '' ? { allowed: true } : { allowed: true, reason };
}

function reviewed(spec: Body): Caller {
  return { name: text(spec['user']), groups: texts(spec['groups']) };
}

function subjectFaults(spec: Body): FieldFault[] {
  if (text(spec['user']) !== '' || texts(spec['groups']).length > 0) return [];
  return [invalidFault('spec.user', '', 'at least one of user or group must be specified')];
}

const selfAccess: Review = (spec, { core, caller, review }) => {
  const attributes = attributesOf(spec);
  refuse([...accessFaults(attributes), ...metadataFaults(review, [], 'must be empty')]);
  return { status: access(core, caller, attributes) };
};

const subjectAccess: Review = (spec, { core, review }) => {
  const attributes = attributesOf(spec);
  refuse([...accessFaults(attributes), ...subjectFaults(spec), ...metadataFaults(review, [], 'must be empty')]);
  return { status: access(core, reviewed(spec), attributes) };
};

const localAccess: Review = (spec, { core, namespace, review }) => {
  const attributes = attributesOf(spec);
  const { resource, other } = attributes;
  const faults = [...accessFaults(attributes), ...subjectFaults(spec)];
  faults.push(...metadataFaults(review, ['namespace'], 'must be empty except for namespace'));
  const given = text(resource?.['namespace']);
  if (resource && given !== namespace)
    faults.push(invalidFault('spec.resourceAttributes.namespace', given, 'must match metadata.namespace'));
  if (other) faults.push(nonResourceFault(other, 'disallowed on this kind of request'));
  refuse(faults);
  return { status: access(core, reviewed(spec), attributes), metadata: { namespace } };
};

const rulesReview: Review = (spec, { core, caller }) => {
  const namespace = text(spec['namespace']);
  if (namespace === '') throw badRequest('no namespace on request');
  return { status: rulesStatus(rulesFor(core, caller, namespace)) };
};

function rulesStatus(rules: readonly PolicyRule[]): Body {
  return {
    resourceRules: rules
      .filter(({ resources }) => resources.length > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames.length > 0 ? { resourceNames } : {}),
      })),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
}

function userInfo({ name, uid, groups, extra }: Caller): Body {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}

const tokenReview: Review = (spec, { core, identity }) => {
  const token = text(spec['token']);
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const verified = verifyBearer(core, identity, token);
  const invalidToken = 'invalid bearer token';
  if (verified === undefined) return { status: { user: {}, error: invalidToken } };
  const wanted = texts(spec['audiences']).length > 0 ? texts(spec['audiences']) : [ISSUER];
  const audiences = verified.audiences.filter((audience) => wanted.includes(audience));
  if (audiences.length > 0) return { status: { authenticated: true, user: userInfo(verified.caller), audiences } };
  const list = (items: readonly string[]): string => `[${items.map(formatValue).join(' ')}]`;
  const why = `token audiences ${list(verified.audiences)} is invalid for the target audiences ${list(wanted)}`;
  return { status: { user: {}, error: `[${invalidToken}, ${why}]` } };
};

/** By `group/plural`. */
const REVIEWS: Readonly<Record<string, Review>> = {
  'authorization.k8s.io/selfsubjectaccessreviews': selfAccess,
  'authorization.k8s.io/subjectaccessreviews': subjectAccess,
  'authorization.k8s.io/localsubjectaccessreviews': localAccess,
  'authorization.k8s.io/selfsubjectrulesreviews': rulesReview,
  'authentication.k8s.io/selfsubjectreviews': (_spec, { core, caller }) => ({
    status: { userInfo: userInfo(caller) },
    metadata: { creationTimestamp: timestamp(core.now()) },
  }),
  'authentication.k8s.io/tokenreviews': tokenReview,
};

/** A function that answers requests to such kinds, and undefined for others. */
export function createVirtual(core: Core, identity: Identity): (request: ResourceRequest) => Reply | undefined {
  return (request) => {
    const { resource, caller, info } = request;
    const compute = REVIEWS[`${resource.group}/${resource.plural}`];
    if (compute === undefined || verbOf(request) !== 'create' || info.subresource !== '') return undefined;
    const review = ownedObject(core, writeRequest(request), readBody(core, request));
    const spec = isRecord(review['spec']) ? review['spec'] : {};
    const { status, metadata } = compute(spec, { core, identity, caller, namespace: info.namespace, review });
    const { name: _, ...given } = review.metadata;
    const answer = { ...review, metadata: { ...given, ...metadata }, status };
    return json(stringifyJson(answer), 201);
  };
}
