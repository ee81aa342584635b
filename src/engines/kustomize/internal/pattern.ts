// Owns the patterns that users select resources by: anchored RE2 expressions, and label selectors. Plain names, the
// usual case, are compared without an expression.
import { compileRegexp } from '../../../lib/regexp.ts';
import { matchesLabels, parseLabelSelector, type Requirement } from '../../../objects/selector.ts';
import type { Selector } from './kustomization-fields.ts';
import { effectiveNamespace, formatResId, type Gvk, type ResId } from './resid.ts';
import { currentId, gvkOf, kindOf, metadataMap, nameOf, originalId, type Resource } from './resource.ts';

type Matches = (text: string) => boolean;

const PLAIN = /^[\w /,:;=@%&'"~`!#<>-]*$/;

/** Compiles a pattern that has to match the whole text; '' matches everything. Throws the error of RE2. */
function compilePattern(pattern: string): Matches {
  if (pattern === '') return () => true;
  if (PLAIN.test(pattern)) return (text) => text === pattern;
  const compiled = compileRegexp(`^(?:${pattern})$`);
  const known = new Map<string, boolean>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = compiled.test(text);
      known.set(text, answer);
    }
    return answer;
  };
}

/** A selector ready to be asked. */
export interface CompiledSelector {
  kind(kind: string): boolean;
  gvk(gvk: Gvk): boolean;
  name(name: string): boolean;
  namespace(namespace: string): boolean;
  /** Labels and annotations of the resource. */
  metadata(resource: Resource): boolean;
}

/** Compiles a selector. Patterns fail here; label selectors fail when they are first asked, as in the reference. */
export function compileSelector(selector: Selector): CompiledSelector {
  const group = compilePattern(selector.group);
  const version = compilePattern(selector.version);
  const kind = compilePattern(selector.kind);
  let labels: readonly Requirement[] | undefined;
  let annotations: readonly Requirement[] | undefined;
  return {
    kind,
    gvk: (gvk) => group(gvk.group) && version(gvk.version) && kind(gvk.kind),
    name: compilePattern(selector.name),
    namespace: compilePattern(selector.namespace),
    metadata: ({ node }) => {
      labels ??= parseLabelSelector(selector.labelSelector);
      if (labels.length > 0 && !matchesLabels(labels, metadataMap(node, 'labels'))) return false;
      annotations ??= parseLabelSelector(selector.annotationSelector);
      return annotations.length === 0 || matchesLabels(annotations, metadataMap(node, 'annotations'));
    },
  };
}

/** Resources that a patch's target means: name and namespace count as they are now and as they were first. */
export function selectResources(resources: readonly Resource[], selector: Selector): readonly Resource[] {
  const compiled = compileSelector(selector);
  const named = selector.name !== '';
  const placed = selector.namespace !== '';
  // Cheap tests first: with many patches nearly all resources fall out here. Only the last test can fail.
  return resources.filter((resource) => {
    const { node } = resource;
    if (!compiled.kind(kindOf(node))) return false;
    if (named && !compiled.name(nameOf(node)) && !compiled.name(originalId(resource).name)) return false;
    if (!compiled.gvk(gvkOf(node))) return false;
    if (
      placed &&
      ![originalId(resource), currentId(resource)].some((id) => compiled.namespace(effectiveNamespace(id)))
    ) {
      return false;
    }
    return compiled.metadata(resource);
  });
}

/** `Kind.version.group/name.ns:a=…:l=…` */
export function formatSelector(selector: Selector): string {
  return `${formatResId(selector)}:a=${selector.annotationSelector}:l=${selector.labelSelector}`;
}

/** True when a resource id has the very parts that the selector names. */
export function isSelectedById(
  id: ResId,
  selector: Gvk & { readonly name: string; readonly namespace: string },
): boolean {
  if (selector.name !== '' && selector.name !== id.name) return false;
  if (selector.namespace !== '') {
    const wanted = effectiveNamespace({ ...selector, clusterScoped: false });
    if (wanted !== effectiveNamespace(id)) return false;
  }
  return (
    (selector.kind === '' || selector.kind === id.kind) &&
    (selector.group === '' || selector.group === id.group) &&
    (selector.version === '' || selector.version === id.version)
  );
}
