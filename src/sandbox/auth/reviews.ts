// Owns kinds that are computed and not stored: access reviews, token reviews, who am I.
import { stringifyJson } from '../../lib/json.ts';
import type { Caller, Core } from '../core.ts';
import type { Identity } from '../identity.ts';
import { isRecord } from '../object.ts';
import { json, type Reply } from '../rest/answer.ts';
import { readBody } from '../rest/body.ts';
import { badRequest } from '../rest/errors.ts';
import { type ResourceRequest, verbOf } from '../rest/resource-request.ts';
import { callerOfToken } from './authenticate.ts';
import { type Action, isAllowed } from './authorize.ts';
import { rulesFor } from './rbac.ts';

type Body = Record<string, unknown>;

interface ReviewContext {
  readonly core: Core;
  readonly identity: Identity;
  readonly caller: Caller;
  /** Namespace of the request's path. */
  readonly namespace: string;
}

/** Computes the status of a review from its spec. */
type Review = (spec: Body, context: ReviewContext) => { readonly spec?: Body; readonly status: Body };

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function actionOf(spec: Body, namespace: string): Action {
  const resource = isRecord(spec['resourceAttributes']) ? spec['resourceAttributes'] : undefined;
  const other = isRecord(spec['nonResourceAttributes']) ? spec['nonResourceAttributes'] : undefined;
  if (resource === undefined && other === undefined)
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  return {
    verb: text((resource ?? other)?.['verb']),
    group: text(resource?.['group']),
    resource: text(resource?.['resource']),
    subresource: text(resource?.['subresource']),
    namespace: namespace || text(resource?.['namespace']),
    name: text(resource?.['name']),
    path: text(other?.['path']),
  };
}

function access(core: Core, caller: Caller, action: Action): Body {
  if (isAllowed(core, caller, action))
    return { allowed: true, reason: caller.groups.includes('system:masters') ? '' : 'RBAC: allowed by a binding' };
  return { allowed: false };
}

function reviewed(spec: Body): Caller {
  const groups = Array.isArray(spec['groups']) ? spec['groups'].map(String) : [];
  const name = text(spec['user']);
  const known = [...groups, ...(name !== '' && name !== 'system:anonymous' ? ['system:authenticated'] : [])];
  const account = /^system:serviceaccount:([^:]+):/.exec(name)?.[1];
  return { name, groups: account ? [...known, 'system:serviceaccounts', `system:serviceaccounts:${account}`] : known };
}

const accessReview: Review = (spec, { core, namespace }) => ({
  status: access(core, reviewed(spec), actionOf(spec, namespace)),
});

function userInfo({ name, uid, groups }: Caller): Body {
  return { username: name, ...(uid ? { uid } : {}), groups };
}

/** By `group/plural`. */
const REVIEWS: Readonly<Record<string, Review>> = {
  'authorization.k8s.io/selfsubjectaccessreviews': (spec, { core, caller }) => ({
    status: access(core, caller, actionOf(spec, '')),
  }),
  'authorization.k8s.io/subjectaccessreviews': accessReview,
  'authorization.k8s.io/localsubjectaccessreviews': accessReview,
  'authorization.k8s.io/selfsubjectrulesreviews': (spec, { core, caller }) => ({
    status: rulesStatus(core, caller, text(spec['namespace'])),
  }),
  'authentication.k8s.io/selfsubjectreviews': (_spec, { caller }) => ({ status: { userInfo: userInfo(caller) } }),
  'authentication.k8s.io/tokenreviews': (spec, { core, identity }) => {
    const caller = callerOfToken(core, identity, text(spec['token']));
    if (caller === undefined) return { status: { user: {}, error: 'invalid bearer token' } };
    return {
      status: {
        authenticated: true,
        user: userInfo(caller),
        audiences: ['https://kubernetes.default.svc.cluster.local'],
      },
    };
  },
};

const EVERYTHING = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

function rulesStatus(core: Core, caller: Caller, namespace: string): Body {
  const rules = [...(caller.groups.includes('system:masters') ? EVERYTHING : []), ...rulesFor(core, caller, namespace)];
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

/** A function that answers requests to such kinds, and undefined for others. */
export function createVirtual(core: Core, identity: Identity): (request: ResourceRequest) => Reply | undefined {
  return (request) => {
    const { resource, caller, info } = request;
    const review = REVIEWS[`${resource.group}/${resource.plural}`];
    if (review === undefined || verbOf(request) !== 'create' || info.subresource !== '') return undefined;
    const body = readBody(core, request);
    const given = isRecord(body) ? body : {};
    const spec = isRecord(given['spec']) ? given['spec'] : {};
    const { status } = review(spec, { core, identity, caller, namespace: info.namespace });
    const answer = {
      kind: resource.kind,
      apiVersion: `${resource.group}/${info.version}`,
      metadata: { creationTimestamp: null },
      spec,
      status,
    };
    return json(stringifyJson(answer), 201);
  };
}
