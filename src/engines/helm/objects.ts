// Owns the Go shapes of what templates see besides plain data: .Values, .Chart, .Capabilities and their methods.
// .Files is files.ts; who puts them together is scope.ts.
import { method } from '../../lang/gotemplate/function.ts';
import {
  ANY,
  GoError,
  type GoMap,
  GoObject,
  type GoType,
  type GoValue,
  MAP,
  STRING,
  STRING_LIST,
  STRING_MAP,
  TypedMap,
  TypedSlice,
} from '../../lang/gotemplate/value.ts';
import { fromJson, toJson } from '../../lang/gotemplate/value-json.ts';
import { goQuote } from '../../lib/goquote.ts';
import { toYaml } from '../../lib/goyaml/sigs.ts';
import type { Capabilities, KubeVersion } from './capabilities.ts';
import type { Compat } from './compat.ts';
import type { Dependency, Metadata } from './metadata.ts';
import { scalarAt, type Table, tableAt } from './table.ts';

// --- .Values -------------------------------------------------------------------------------------

/** A view of a table under Go's name `chartutil.Values`: what is set through either is seen through both. */
class ValuesView extends TypedMap {
  readonly #table: Table;

  constructor(type: GoType, table: Table) {
    super(type);
    this.#table = table;
  }

  /** The table under the view. */
  get table(): Table {
    return this.#table;
  }

  override get size(): number {
    // The base class's constructor asks before the field exists.
    return this.#table.size;
  }

  override get(key: string): GoValue {
    return this.#table.get(key);
  }

  override has(key: string): boolean {
    return this.#table.has(key);
  }

  override set(key: string, value: GoValue): this {
    this.#table.set(key, value);
    return this;
  }

  override delete(key: string): boolean {
    return this.#table.delete(key);
  }

  override clear(): void {
    this.#table.clear();
  }

  override keys(): MapIterator<string> {
    return this.#table.keys();
  }

  override values(): MapIterator<GoValue> {
    return this.#table.values();
  }

  override entries(): MapIterator<[string, GoValue]> {
    return this.#table.entries();
  }

  override [Symbol.iterator](): MapIterator<[string, GoValue]> {
    return this.#table.entries();
  }

  override forEach(callback: (value: GoValue, key: string, map: Map<string, GoValue>) => void): void {
    this.#table.forEach(callback);
  }
}

function valuesType(packageName: string): GoType {
  const type: { -readonly [K in keyof GoType]: GoType[K] } = {
    name: `${packageName}.Values`,
    kind: 'map',
    elem: ANY,
    underlying: MAP,
  };
  type.methods = new Map([
    ['YAML', method([], (self: GoMap) => toYaml(toJson(self)))],
    ['AsMap', method([], (self: GoMap) => tableOf(self))],
    ['Table', method([STRING], (self: GoMap, path) => new ValuesView(type, findTable(tableOf(self), path)))],
    ['PathValue', method([STRING], (self: GoMap, path) => findScalar(tableOf(self), path))],
  ]);
  return type;
}

const VALUES: Record<Compat, GoType> = { helm3: valuesType('chartutil'), helm4: valuesType('common') };

function tableOf(map: GoMap): Table {
  return map instanceof ValuesView ? map.table : map;
}

function findTable(table: Table, path: string): Table {
  const found = tableAt(table, path);
  if ('table' in found) return found.table;
  throw new GoError(`${goQuote(found.missing)} is not a table`);
}

function findScalar(table: Table, path: string): GoValue {
  if (path === '') throw new GoError('YAML path cannot be empty');
  const value = scalarAt(table, path);
  if (value !== undefined) return value;
  throw new GoError(`${goQuote(path.slice(path.lastIndexOf('.') + 1))} is not a value`);
}

/** A table as templates see `.Values`: with the methods YAML, AsMap, Table and PathValue. */
export function valuesObject(table: Table, compat: Compat): GoMap {
  return new ValuesView(VALUES[compat], table);
}

/** `.Template` of one file. */
export function templateObject(path: string, basePath: string, compat: Compat): GoMap {
  return valuesObject(
    new Map<string, GoValue>([
      ['Name', path],
      ['BasePath', basePath],
    ]),
    compat,
  );
}

// --- structs -------------------------------------------------------------------------------------

/** A field of a Go struct: Go's name, value, JSON name, and whether JSON leaves it out when empty. */
type Field = readonly [name: string, value: GoValue, json: string, omitEmpty: boolean];

/** A Go struct with JSON tags. */
class Struct extends GoObject {
  readonly type: GoType;
  readonly #fields: readonly Field[];

  constructor(type: GoType, fields: readonly Field[]) {
    super();
    this.type = type;
    this.#fields = fields;
  }

  fields(): readonly (readonly [string, GoValue])[] {
    return this.#fields.map(([name, value]) => [name, value] as const);
  }

  override field(name: string): { readonly value: GoValue } | undefined {
    const found = this.#fields.find(([field]) => field === name && /^[A-Z]/.test(field));
    return found === undefined ? undefined : { value: found[1] };
  }

  override toJson(): GoMap {
    const shown = this.#fields.filter(([, value, json, omitEmpty]) => json !== '' && (!omitEmpty || !isEmpty(value)));
    return new Map(shown.map(([, value, json]) => [json, value]));
  }

  /** What a YAML encoder that knows no JSON tags writes: fields by their lower-cased names, nested ones below them. */
  yamlFields(): readonly (readonly [string, GoValue])[] {
    const exported = this.#fields.filter(([name]) => /^[A-Z]/.test(name));
    return exported.map(([name, value]) => [name.toLowerCase(), value] as const);
  }
}

function isEmpty(value: GoValue): boolean {
  if (value instanceof Map) return value.size === 0;
  if (value instanceof TypedSlice) return value.items.length === 0;
  return value === '' || value === false;
}

/** Objects that write YAML by their own field names, for toYamlPretty. */
export interface YamlObject {
  yamlFields(): readonly (readonly [string, GoValue])[];
}

/** True for objects whose YAML field names differ from their JSON ones. */
export function isYamlObject(value: GoValue): value is GoObject & YamlObject {
  return value instanceof GoObject && 'yamlFields' in value;
}

// --- .Chart --------------------------------------------------------------------------------------

function pointerType(name: string): GoType {
  return { name: `*chart.${name}`, kind: 'ptr' };
}

const MAINTAINER = pointerType('Maintainer');
const DEPENDENCY = pointerType('Dependency');
const MAINTAINERS: GoType<TypedSlice> = { name: '[]*chart.Maintainer', kind: 'slice', elem: MAINTAINER };
const DEPENDENCIES: GoType<TypedSlice> = { name: '[]*chart.Dependency', kind: 'slice', elem: DEPENDENCY };
const METADATA: GoType = { name: 'chart.Metadata', kind: 'struct' };
const CHART: GoType = { name: 'struct { chart.Metadata; IsRoot bool }', kind: 'struct' };
const ANY_LIST: GoType<TypedSlice> = { name: '[]interface {}', kind: 'slice', elem: ANY };

function strings(items: readonly string[] | undefined): TypedSlice {
  return new TypedSlice(items ?? [], STRING_LIST, items === undefined);
}

function imports(dependency: Dependency): GoValue {
  const done = dependency.imported?.map(
    ({ child, parent }) =>
      new TypedMap(STRING_MAP, [
        ['child', child],
        ['parent', parent],
      ]),
  );
  const items = done ?? dependency['import-values']?.map(fromJson);
  return items === undefined ? new TypedSlice([], ANY_LIST, true) : items;
}

function dependencyFields(dependency: Dependency): Field[] {
  return [
    ['Name', dependency.name, 'name', false],
    ['Version', dependency.version, 'version', true],
    ['Repository', dependency.repository, 'repository', false],
    ['Condition', dependency.condition, 'condition', true],
    ['Tags', strings(dependency.tags), 'tags', true],
    ['Enabled', dependency.enabled, 'enabled', true],
    ['ImportValues', imports(dependency), 'import-values', true],
    ['Alias', dependency.alias, 'alias', true],
  ];
}

class DependencyStruct extends Struct {
  // Alone among the chart's structs this one has YAML tags.
  override yamlFields(): readonly (readonly [string, GoValue])[] {
    return [...this.toJson()];
  }
}

function metadataFields(metadata: Metadata): Field[] {
  const maintainers = metadata.maintainers?.map(({ name, email, url }) => {
    const fields: Field[] = [
      ['Name', name, 'name', true],
      ['Email', email, 'email', true],
      ['URL', url, 'url', true],
    ];
    return new Struct(MAINTAINER, fields);
  });
  const dependencies = metadata.dependencies?.map((each) => new DependencyStruct(DEPENDENCY, dependencyFields(each)));
  const { annotations } = metadata;
  return [
    ['Name', metadata.name, 'name', true],
    ['Home', metadata.home, 'home', true],
    ['Sources', strings(metadata.sources), 'sources', true],
    ['Version', metadata.version, 'version', true],
    ['Description', metadata.description, 'description', true],
    ['Keywords', strings(metadata.keywords), 'keywords', true],
    ['Maintainers', new TypedSlice(maintainers ?? [], MAINTAINERS, maintainers === undefined), 'maintainers', true],
    ['Icon', metadata.icon, 'icon', true],
    ['APIVersion', metadata.apiVersion, 'apiVersion', true],
    ['Condition', metadata.condition, 'condition', true],
    ['Tags', metadata.tags, 'tags', true],
    ['AppVersion', metadata.appVersion, 'appVersion', true],
    ['Deprecated', metadata.deprecated, 'deprecated', true],
    ['Annotations', new TypedMap(STRING_MAP, annotations, annotations === undefined), 'annotations', true],
    ['KubeVersion', metadata.kubeVersion, 'kubeVersion', true],
    [
      'Dependencies',
      new TypedSlice(dependencies ?? [], DEPENDENCIES, dependencies === undefined),
      'dependencies',
      true,
    ],
    ['Type', metadata.type, 'type', true],
  ];
}

/** Helm 3's `.Chart`: the metadata struct embedded beside IsRoot, so its fields are reached both ways. */
class ChartStruct extends Struct {
  readonly #metadata: Struct;

  constructor(metadata: Metadata, isRoot: boolean) {
    const embedded = new Struct(METADATA, metadataFields(metadata));
    super(CHART, [
      ['Metadata', embedded, '', false],
      ['IsRoot', isRoot, 'IsRoot', false],
    ]);
    this.#metadata = embedded;
  }

  override field(name: string): { readonly value: GoValue } | undefined {
    return super.field(name) ?? this.#metadata.field(name);
  }

  override toJson(): GoMap {
    const [, isRoot] = this.fields();
    return new Map([...this.#metadata.toJson(), isRoot!]);
  }
}

/** Helm 4's `.Chart`: maps all the way, keys as in Go. */
function chartMap(fields: readonly Field[]): GoMap {
  return new Map(fields.map(([name, value]) => [name, toPlain(value)]));
}

function toPlain(value: GoValue): GoValue {
  if (value instanceof TypedSlice) return value.items.map(toPlain);
  if (value instanceof Struct) return new Map(value.fields().map(([name, field]) => [name, toPlain(field)]));
  return value;
}

/** `.Chart` of one chart. */
export function chartObject(metadata: Metadata, isRoot: boolean, compat: Compat): GoValue {
  if (compat === 'helm3') return new ChartStruct(metadata, isRoot);
  return chartMap(metadataFields(metadata)).set('IsRoot', isRoot);
}

// --- .Capabilities -------------------------------------------------------------------------------

class KubeVersionStruct extends Struct {
  readonly #version: KubeVersion;

  constructor(version: KubeVersion, compat: Compat) {
    const fields: Field[] = [
      ['Version', version.version, 'Version', false],
      // Not exported: shown by %v, absent from JSON.
      ...(compat === 'helm4' ? [['normalizedVersion', version.normalized, '', true] as const] : []),
      ['Major', version.major, 'Major', false],
      ['Minor', version.minor, 'Minor', false],
    ];
    super(kubeVersionTypes[compat], fields);
    this.#version = version;
  }

  /** Printed by itself it is its version; inside `print` and `printf` it is a struct. */
  override pointerString(): string {
    return this.#version.normalized || this.#version.version;
  }
}

function kubeVersionType(packageName: string): GoType {
  const version = (self: KubeVersionStruct): GoValue => self.field('Version')!.value;
  return {
    name: `${packageName}.KubeVersion`,
    kind: 'struct',
    methods: new Map([
      ['GitVersion', method([], version)],
      ['String', method([], (self: KubeVersionStruct) => self.pointerString())],
    ]),
  };
}

const kubeVersionTypes: Record<Compat, GoType> = {
  helm3: kubeVersionType('chartutil'),
  helm4: kubeVersionType('common'),
};

function versionSetType(packageName: string): GoType {
  const has = method([STRING], (self: TypedSlice, wanted) => self.items.includes(wanted));
  return {
    name: `${packageName}.VersionSet`,
    kind: 'slice',
    elem: STRING,
    underlying: STRING_LIST,
    methods: new Map([['Has', has]]),
  };
}

const versionSetTypes: Record<Compat, GoType> = { helm3: versionSetType('chartutil'), helm4: versionSetType('common') };
const capabilitiesTypes: Record<Compat, GoType> = {
  helm3: { name: '*chartutil.Capabilities', kind: 'ptr' },
  helm4: { name: '*common.Capabilities', kind: 'ptr' },
};
const BUILD_INFO: GoType = { name: 'version.BuildInfo', kind: 'struct' };
const HELM_VERSION: Record<Compat, string> = { helm3: 'v3.22.0', helm4: 'v4.2.4' };

function buildInfo(compat: Compat): Struct {
  const fields: Field[] = [
    ['Version', HELM_VERSION[compat], 'version', true],
    ['GitCommit', '', 'git_commit', true],
    ['GitTreeState', 'clean', 'git_tree_state', true],
    ['GoVersion', 'go1.26.8', 'go_version', true],
  ];
  if (compat === 'helm4') fields.push(['KubeClientVersion', 'v1.36', 'kube_client_version', false]);
  return new Struct(BUILD_INFO, fields);
}

/** `.Capabilities`. */
export function capabilitiesObject(capabilities: Capabilities, compat: Compat): GoObject {
  return new Struct(capabilitiesTypes[compat], [
    ['KubeVersion', new KubeVersionStruct(capabilities.kubeVersion, compat), 'KubeVersion', false],
    ['APIVersions', new TypedSlice(capabilities.apiVersions, versionSetTypes[compat]), 'APIVersions', false],
    ['HelmVersion', buildInfo(compat), 'HelmVersion', false],
  ]);
}
