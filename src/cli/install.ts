// The command `install`: prints what a real cluster needs.
import { customResourceDefinitions } from '../api/crd.ts';
import { toYaml } from '../lib/goyaml/sigs.ts';
import type { JsonObject } from '../lib/json.ts';
import { type InstallOptions, installManifests } from './install-manifests.ts';
import type { CliIo } from './io.ts';

export function install(options: InstallOptions & { readonly crds: boolean }, io: CliIo): void {
  const objects = options.crds
    ? customResourceDefinitions()
    : [...customResourceDefinitions(), ...installManifests(options)];
  io.stdout(formatStream(objects));
}

/** Objects as one YAML stream. */
export function formatStream(objects: readonly JsonObject[]): string {
  return objects.map((object) => `---\n${toYaml(object)}`).join('');
}
