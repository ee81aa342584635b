// Owns reading a kustomization file: strict decoding, deprecation warnings, and the legacy fields that are moved to their
// successors. The fields themselves are kustomization-fields.ts, their decoders field-decoders.ts.
import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import { buildError, wrapError } from '../errors.ts';
import { decodeValue } from './decode.ts';
import { helmChartDecoder, kustomizationDecoder } from './field-decoders.ts';
import type { GeneratorArgs, HelmChartEntry, Kustomization, LegacyHelmChart } from './kustomization-fields.ts';
import { convertYaml } from './yaml.ts';

const KUSTOMIZATION = { kind: 'Kustomization', apiVersion: 'kustomize.config.k8s.io/v1beta1' } as const;
const COMPONENT = { kind: 'Component', apiVersion: 'kustomize.config.k8s.io/v1alpha1' } as const;
export const COMPONENT_KIND = COMPONENT.kind;

/** Old field → its successor, in the order of the warnings. */
const DEPRECATED = [
  ['bases', 'resources', ''],
  ['commonLabels', 'labels', ''],
  ['imageTags', 'images', ''],
  ['patchesJson6902', 'patches', ''],
  ['patchesStrategicMerge', 'patches', ''],
  ['vars', 'replacements', '[EXPERIMENTAL] '],
] as const;

/** Fields that are moved elsewhere on reading: alone they leave an empty kustomization when they are empty. */
const MOVED = new Set(['bases', 'imagetags', 'helmchartinflationgenerator']);

/** Reads a kustomization file. `root` is named in faults; each warning goes to `warn` as a line without a break. */
export function parseKustomization(text: string, root: string, warn: (line: string) => void): Kustomization {
  const { value, decoded } = decodeFile(text);
  const given = new Map<string, JsonValue>();
  if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) if (item !== null) given.set(key.toLowerCase(), item);
  }
  for (const [old, successor, note] of DEPRECATED) {
    if (!given.has(old.toLowerCase())) continue;
    warn(
      `# Warning: '${old}' is deprecated. Please use '${successor}' instead. ${note}Run 'kustomize edit fix' ` +
        'to update your Kustomization automatically.',
    );
  }
  const kustomization = moveLegacyFields(decoded);
  if (isEmptyFile(given)) throw buildError('kustomization.yaml is empty', 'KustomizationInvalid');
  enforceType(kustomization, root);
  return kustomization;
}

function decodeFile(text: string): { readonly value: JsonValue; readonly decoded: Kustomization } {
  try {
    const value = convertYaml(text);
    return { value, decoded: decodeValue(value, kustomizationDecoder, { strict: true, coerce: false }) };
  } catch (error) {
    throw wrapError(error, 'invalid Kustomization');
  }
}

function isEmptyFile(given: ReadonlyMap<string, JsonValue>): boolean {
  for (const [key, value] of given) {
    if (key === 'apiversion' || key === 'kind' || value === '') continue;
    if (MOVED.has(key) && Array.isArray(value) && value.length === 0) continue;
    return false;
  }
  return true;
}

function enforceType(kustomization: Kustomization, root: string): void {
  const { kind, apiVersion } = kustomization;
  const faults: string[] = [];
  if (kind !== KUSTOMIZATION.kind && kind !== COMPONENT.kind) faults.push('kind should be Kustomization or Component');
  const required = kind === COMPONENT.kind ? COMPONENT.apiVersion : KUSTOMIZATION.apiVersion;
  if (apiVersion !== required) faults.push(`apiVersion for ${kind} should be ${required}`);
  if (faults.length === 0) return;
  throw buildError(`Failed to read kustomization file under ${root}:\n${faults.join('\n')}`, 'KustomizationInvalid');
}

function moveLegacyFields(file: Kustomization): Kustomization {
  const kind = file.kind || KUSTOMIZATION.kind;
  const apiVersion = file.apiVersion || (kind === COMPONENT.kind ? COMPONENT.apiVersion : KUSTOMIZATION.apiVersion);
  const withEnv = (args: GeneratorArgs): GeneratorArgs =>
    args.env === '' ? args : { ...args, envs: [...args.envs, args.env], env: '' };
  let { chartHome, configHome } = { chartHome: '', configHome: '' };
  for (const chart of file.helmChartInflationGenerator) {
    chartHome = chart.chartHome || chartHome;
    configHome = chart.helmHome || configHome;
  }
  const oldGlobals = chartHome === '' && configHome === '' ? undefined : { chartHome, configHome };
  return {
    ...file,
    kind,
    apiVersion,
    resources: [...file.resources, ...file.bases],
    bases: [],
    images: [...file.images, ...file.imageTags],
    imageTags: [],
    configMapGenerator: file.configMapGenerator.map(withEnv),
    secretGenerator: file.secretGenerator.map(withEnv),
    helmGlobals: file.helmGlobals ?? oldGlobals,
    helmCharts: [...file.helmCharts, ...file.helmChartInflationGenerator.map(toHelmChart)],
    helmChartInflationGenerator: [],
  };
}

function toHelmChart(old: LegacyHelmChart): HelmChartEntry {
  return {
    ...helmChartDecoder.zero,
    name: old.chartName,
    version: old.chartVersion,
    repo: old.chartRepoUrl,
    valuesFile: old.values,
    valuesInline: old.valuesLocal,
    valuesMerge: old.valuesMerge,
    releaseName: old.releaseName,
  };
}
