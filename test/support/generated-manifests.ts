// Owns which files below manifests/ are generated, and from what.
import { customResourceDefinitions } from '../../src/api/crd.ts';
import { formatStream } from '../../src/cli/install.ts';
import { installManifests } from '../../src/cli/install-manifests.ts';
import { version } from '../../src/cli/version.ts';
import { toYaml } from '../../src/lib/goyaml/sigs.ts';
import type { JsonObject } from '../../src/lib/json.ts';

/** Path from the project root → text. */
export function generatedManifests(): Map<string, string> {
  const files = new Map<string, string>();
  const crds = customResourceDefinitions();
  for (const crd of crds) files.set(`manifests/crds/${nameOf(crd)}.yaml`, toYaml(crd));
  files.set('manifests/crds/kustomization.yaml', kustomizationFile(crds.map((crd) => `${nameOf(crd)}.yaml`)));
  const image = `ghcr.io/lockstep/lockstep:${version}`;
  const install = installManifests({ image, rbac: 'cluster-admin', persistent: false });
  files.set('manifests/install/install.yaml', formatStream(install));
  files.set('manifests/install/kustomization.yaml', kustomizationFile(['install.yaml']));
  files.set('manifests/kustomization.yaml', kustomizationFile(['crds', 'install']));
  return files;
}

function nameOf(object: JsonObject): string {
  return (object['metadata'] as { name: string }).name;
}

function kustomizationFile(resources: readonly string[]): string {
  return toYaml({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources: [...resources] });
}
