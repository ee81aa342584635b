// Owns fixing references by name after names changed: which fields refer to what, which resource is meant, and what
// is written. Resources are indexed by their earlier names, so that the work grows with the number of references.
import type { YamlNode } from '../../../lib/goyaml/node.ts';
import { buildError, wrapError } from '../errors.ts';
import type { NameReference } from './config.ts';
import { type FieldSpec, writeAt } from './fieldspec.ts';
import { elementsOf, fieldOf, isNull, lookup, scalarNode, setField, setScalar, TAG_STR } from './node.ts';
import { resourceToYaml } from './output.ts';
import { effectiveNamespace, formatResId, type Gvk, isSelectedByGvk, NO_NAMESPACE, type ResId } from './resid.ts';
import type { ResMap } from './resmap.ts';
import {
  annotation,
  copyResource,
  currentId,
  kindOf,
  metadataMap,
  nameOf,
  namespaceOf,
  originalId,
  prefixesOf,
  previousIds,
  type Resource,
  setMetadataMap,
  suffixesOf,
} from './resource.ts';

/** A resource, with what the search for referrals asks of it. */
interface Candidate {
  /** Place in the order of resources. */
  readonly place: number;
  readonly resource: Resource;
  readonly id: ResId;
  readonly namespace: string;
  readonly originalNamespace: string;
  readonly previous: readonly ResId[];
}

/** The resources that once had one name, and those among them by their namespace of now. */
interface Named {
  readonly all: Candidate[];
  readonly byNamespace: Map<string, Candidate[]>;
}

/** One field that may hold the name of something of type `target`. */
interface Referral {
  readonly spec: FieldSpec;
  readonly target: Gvk;
}

/** What a referrer may refer to. */
interface Reach {
  readonly includes: (candidate: Candidate) => boolean;
  /** Namespaces outside of which nothing is in reach; undefined when all are. */
  readonly namespaces: readonly string[] | undefined;
}

interface Search {
  readonly referrer: Resource;
  readonly id: ResId;
  readonly referral: Referral;
  /** True for what the referrer may refer to at all. */
  readonly reach: Reach;
  readonly byPreviousName: ReadonlyMap<string, Named>;
  /** True when anything in reach, of whatever name, was in that namespace at first. */
  readonly hadNamespace: (namespace: string) => boolean;
}

/** Rewrites all references to names that changed in the build. */
export function fixNameReferences(map: ResMap, references: readonly NameReference[]): void {
  const candidates = map.resources.map(toCandidate);
  const byPreviousName = indexByPreviousName(candidates);
  const byOriginalNamespace = Map.groupBy(candidates, (candidate) => candidate.originalNamespace);
  const referralsOf = createReferralIndex(references);
  for (const referrer of map.resources) {
    const referrals = referralsOf(originalId(referrer));
    if (referrals.length === 0) continue;
    const id = currentId(referrer);
    const reach = reachOf(referrer, id);
    const hadNamespace = (namespace: string): boolean =>
      byOriginalNamespace.get(namespace)?.some(reach.includes) === true;
    for (const referral of referrals) {
      fixReference({ referrer, id, referral, reach, byPreviousName, hadNamespace });
    }
  }
}

function toCandidate(resource: Resource, place: number): Candidate {
  const previous = previousIds(resource.node);
  const id = currentId(resource);
  const originalNamespace = effectiveNamespace(previous[0] ?? id);
  return { place, resource, id, namespace: effectiveNamespace(id), originalNamespace, previous };
}

function indexByPreviousName(candidates: readonly Candidate[]): ReadonlyMap<string, Named> {
  const index = new Map<string, Named>();
  for (const candidate of candidates) {
    for (const name of new Set(candidate.previous.map((one) => one.name))) {
      let named = index.get(name);
      if (named === undefined) {
        named = { all: [], byNamespace: new Map() };
        index.set(name, named);
      }
      named.all.push(candidate);
      const neighbours = named.byNamespace.get(candidate.namespace);
      if (neighbours === undefined) named.byNamespace.set(candidate.namespace, [candidate]);
      else neighbours.push(candidate);
    }
  }
  return index;
}

/** Those with a name that are in reach, in the order of resources. */
function inReach({ reach, byPreviousName }: Search, name: string): readonly Candidate[] {
  const named = byPreviousName.get(name);
  if (named === undefined) return [];
  if (reach.namespaces === undefined) return named.all;
  const found = reach.namespaces.flatMap((namespace) => named.byNamespace.get(namespace) ?? []).filter(reach.includes);
  return found.sort((a, b) => a.place - b.place);
}

function createReferralIndex(references: readonly NameReference[]): (type: Gvk) => readonly Referral[] {
  const known = new Map<string, readonly Referral[]>();
  return (type) => {
    const key = `${type.group}\0${type.version}\0${type.kind}`;
    let referrals = known.get(key);
    if (referrals === undefined) {
      referrals = references.flatMap((target) =>
        target.referrers.filter((spec) => isSelectedByGvk(type, spec)).map((spec) => ({ spec, target })),
      );
      known.set(key, referrals);
    }
    return referrals;
  };
}

/** Cluster-scoped objects may refer to all; others to their namespace, to cluster-scoped ones, and bindings further. */
function reachOf(referrer: Resource, id: ResId): Reach {
  const bound = subjectNamespaces(referrer, id);
  if (id.clusterScoped) return { includes: () => true, namespaces: undefined };
  const own = effectiveNamespace(id);
  const includes = (candidate: Candidate): boolean =>
    candidate.id.clusterScoped || candidate.namespace === own || bound.has(namespaceOf(candidate.resource.node));
  const further = [...bound].map((namespace) => effectiveNamespace({ ...id, namespace }));
  return { includes, namespaces: [...new Set([own, NO_NAMESPACE, ...further])] };
}

/** Namespaces of the ServiceAccounts that a RoleBinding names. */
function subjectNamespaces(referrer: Resource, id: ResId): ReadonlySet<string> {
  const result = new Set<string>();
  if (id.clusterScoped || id.kind !== 'RoleBinding') return result;
  const subjects = fieldOf(referrer.node, 'subjects');
  if (subjects?.kind !== 'sequence') return result;
  for (const subject of subjects.content) {
    const namespace = fieldOf(subject, 'namespace');
    if (namespace === undefined || fieldOf(subject, 'kind')?.value !== 'ServiceAccount') continue;
    const isText =
      namespace.kind === 'scalar' && (namespace.tag === TAG_STR || (namespace.tag === '' && namespace.value !== ''));
    if (!isText) throw buildError(`Invalid Input: namespace is blank for resource "${formatResId(id)}"\n`);
    result.add(namespace.value);
  }
  return result;
}

function fixReference(search: Search): void {
  const { referrer, referral } = search;
  const node = referrer.node!;
  const { spec } = referral;
  try {
    // The spec matched the original type; today's may be another.
    writeAt(node, spec, { set: (field) => fixField(search, field) });
  } catch (error) {
    throw wrapError(error, `updating name reference in '${spec.path}' field of '${formatResId(currentId(referrer))}'`);
  }
}

function fixField(search: Search, field: YamlNode): void {
  if (isNull(field)) return;
  switch (field.kind) {
    case 'scalar':
      fixScalar(search, field);
      return;
    case 'mapping':
      fixMap(search, field);
      return;
    case 'sequence':
      for (const element of elementsOf(field)) {
        if (isNull(element)) continue;
        if (element.kind === 'scalar') fixScalar(search, element);
        else if (element.kind === 'mapping') fixMap(search, element);
        else throw buildError('&yaml.RNode is expected to be either a string or a map of string');
      }
      return;
    default:
      throw buildError('node must be a scalar, sequence or map');
  }
}

function fixScalar(search: Search, field: YamlNode): void {
  const candidates = inReach(search, field.value);
  if (candidates.length === 0) return;
  const referral = chooseReferral(search, candidates, (a, b) => nameOf(a.node) === nameOf(b.node));
  if (referral === undefined) return;
  referral.referredBy.push(formatResId(search.id));
  const name = nameOf(referral.node);
  if (name !== field.value) setScalar(field, scalarNode(name));
}

function fixMap(search: Search, field: YamlNode): void {
  const nameNode = fieldOf(field, 'name');
  if (nameNode === undefined) throw buildError("path config error; no 'name' field in node");
  const oldName = nameNode.value;
  const named = inReach(search, oldName);
  if (named.length === 0) return;
  const candidates = narrowByNamespace(search, named, fieldOf(field, 'namespace'));
  const referral = chooseReferral(
    search,
    candidates,
    (a, b) => nameOf(a.node) === nameOf(b.node) && namespaceOf(a.node) === namespaceOf(b.node),
  );
  if (referral === undefined) return;
  referral.referredBy.push(formatResId(search.id));
  const name = nameOf(referral.node);
  const namespace = namespaceOf(referral.node);
  if (name === oldName && namespace === '') return;
  setField(field, 'name', name === '' ? undefined : scalarNode(name));
  if (namespace !== '') setField(field, 'namespace', scalarNode(namespace));
}

/** Candidates of the namespace that a map names: as it was at first when anything was there, else as it is now. */
function narrowByNamespace(
  search: Search,
  candidates: readonly Candidate[],
  namespace: YamlNode | undefined,
): readonly Candidate[] {
  if (namespace === undefined) return candidates;
  const wanted = namespace.value;
  if (wanted === NO_NAMESPACE) return [];
  if (search.hadNamespace(wanted)) return candidates.filter((candidate) => candidate.originalNamespace === wanted);
  return candidates.filter((candidate) => candidate.namespace === wanted);
}

/** The one resource that is meant, if it can be told. */
function chooseReferral(
  search: Search,
  named: readonly Candidate[],
  alike: (a: Resource, b: Resource) => boolean,
): Resource | undefined {
  const { referral, id } = search;
  const isRoleRef = referral.spec.path.endsWith('roleRef/name');
  const role = isRoleRef ? roleRefType(search.referrer.node!) : undefined;
  const namespace = effectiveNamespace(id);
  let candidates = named.filter(
    (candidate) =>
      candidate.previous.some((previous) => isSelectedByGvk(previous, referral.target)) &&
      (role === undefined || candidate.previous.some((previous) => isSelectedByGvk(previous, role))) &&
      (id.clusterScoped ||
        candidate.id.clusterScoped ||
        kindOf(candidate.resource.node) === 'ServiceAccount' ||
        candidate.namespace === namespace),
  );
  if (candidates.length === 1) return candidates[0]!.resource;
  candidates = candidates.filter((candidate) => affixesAgree(candidate.resource, search.referrer, true));
  if (candidates.length > 1) {
    candidates = candidates.filter((candidate) => affixesAgree(candidate.resource, search.referrer, false));
  }
  const found = candidates.map((candidate) => candidate.resource);
  if (found.length <= 1 || found.every((resource) => alike(found[0]!, resource))) return found[0];
  const ids = found.map((resource) => formatResId(currentId(resource))).join(', ');
  throw buildError(`found multiple possible referrals: ${ids}\n${ambiguity(search.referrer, found)}`);
}

function roleRefType(node: YamlNode): Gvk | undefined {
  const roleRef = lookup(node, ['roleRef']);
  const group = fieldOf(roleRef, 'apiGroup');
  const kind = fieldOf(roleRef, 'kind');
  if (group === undefined || kind === undefined) return undefined;
  return { group: group.value, version: '', kind: kind.value };
}

function affixesAgree(a: Resource, b: Resource, allowEmpty: boolean): boolean {
  return (
    endsAgree(prefixesOf(a.node), prefixesOf(b.node), allowEmpty) &&
    endsAgree(suffixesOf(a.node), suffixesOf(b.node), allowEmpty)
  );
}

/** True when the shorter list is the end of the longer one. */
function endsAgree(a: readonly string[], b: readonly string[], allowEmpty: boolean): boolean {
  if (a.length === 0 || b.length === 0) return allowEmpty || a.length === b.length;
  const length = Math.min(a.length, b.length);
  for (let i = 1; i <= length; i++) if (a.at(-i) !== b.at(-i)) return false;
  return true;
}

function ambiguity(referrer: Resource, found: readonly Resource[]): string {
  const parts = [`\n**** Too many possible referral targets to referrer:\n${yamlOf(referrer)}\n`];
  for (const [index, resource] of found.entries()) parts.push(`--- possible referral ${index}:\n${yamlOf(resource)}\n`);
  return parts.join('');
}

/** The resource as the reference shows it, which keeps a record of referrers among the annotations. */
function yamlOf(resource: Resource): string {
  if (resource.referredBy.length === 0) return resourceToYaml(resource);
  const copy = copyResource(resource);
  const annotations = metadataMap(copy.node, 'annotations');
  annotations.set(annotation.refBy, resource.referredBy.join(','));
  setMetadataMap(copy.node!, 'annotations', annotations);
  return resourceToYaml(copy);
}
