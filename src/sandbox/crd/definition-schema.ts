// Owns what the schema of a CustomResourceDefinition must be: structural, with defaults that fit and list types and rules
// that make sense. Source: apiextensions validation of Kubernetes 1.36. Pure.
import { isRecord, readPath } from '../object.ts';
import { type FieldFault, forbiddenFault, invalidFault, requiredFault, unsupportedFault } from '../rest/errors.ts';
import { compileSchema } from '../schema/node.ts';
import { checkRuleTexts, type RuleEngine } from './rules.ts';
import { validateValue } from './schema-validate.ts';

type Schema = Record<string, unknown>;
type Level = 'root' | 'field' | 'item';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'];
const BRANCHES = ['allOf', 'oneOf', 'anyOf'] as const;
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

/** Faults of the schema of one version, at its path. */
export function schemaFaults(
  version: Record<string, unknown>,
  path: string,
  rules: RuleEngine | undefined,
): FieldFault[] {
  const schema = readPath(version, ['schema', 'openAPIV3Schema']);
  if (!isRecord(schema)) return [];
  const structural = [...structuralFaults(schema, path, 'root')].sort((a, b) =>
    `${a.field}: ${a.message}` < `${b.field}: ${b.message}` ? -1 : 1,
  );
  const nullable =
    schema['nullable'] === true ? [forbiddenFault(`${path}.nullable`, 'nullable cannot be true at the root')] : [];
  const defaults = structural.length === 0 ? [...defaultFaults(schema, path)] : [];
  const faults = [...nullable, ...structural, ...defaults, ...openApiFaults(schema, path)];
  return faults.length > 0 || rules === undefined ? faults : checkRuleTexts(rules, schema, path);
}

function* children(schema: Schema, path: string): Generator<{ schema: Schema; path: string; level: Level }> {
  const { items, additionalProperties, properties } = schema;
  if (isRecord(items)) yield { schema: items, path: `${path}.items`, level: 'item' };
  for (const [name, property] of Object.entries(isRecord(properties) ? properties : {})) {
    if (isRecord(property)) yield { schema: property, path: `${path}.properties[${name}]`, level: 'field' };
  }
  if (isRecord(additionalProperties))
    yield { schema: additionalProperties, path: `${path}.additionalProperties`, level: 'field' };
}

const WITHOUT_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

/** Every value has a type, and objects inside objects are declared as such. */
function* structuralFaults(schema: Schema, path: string, level: Level): Generator<FieldFault> {
  const { type, items } = schema;
  const embedded = schema['x-kubernetes-embedded-resource'] === true;
  const preserves = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  if (type === 'array' && items === undefined) yield requiredFault(`${path}.items`, 'must be specified');
  if (level === 'root' && schema['additionalProperties'] !== undefined)
    yield forbiddenFault(`${path}.additionalProperties`, 'must not be used at the root');
  if (embedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true';
    yield type ? invalidFault(`${path}.type`, type, why) : requiredFault(`${path}.type`, why);
  } else if (!type && schema['x-kubernetes-int-or-string'] !== true && !preserves) {
    yield requiredFault(`${path}.type`, WITHOUT_TYPE[level]);
  }
  if (level === 'root' && type && type !== 'object')
    yield invalidFault(`${path}.type`, type, 'must be object at the root');
  if (level === 'root' || embedded) yield* metaFaults(properties, path, level);
  if (embedded && !preserves && Object.keys(properties).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    yield requiredFault(`${path}.properties`, why);
  }
  for (const child of children(schema, path)) yield* structuralFaults(child.schema, child.path, child.level);
}

function* metaFaults(properties: Schema, path: string, level: Level): Generator<FieldFault> {
  for (const name of ['kind', 'apiVersion']) {
    const type = readPath(properties, [name, 'type']);
    if (Object.hasOwn(properties, name) && type !== 'string')
      yield invalidFault(`${path}.properties[${name}].type`, type ?? '', 'must be string');
  }
  const metadata = properties['metadata'];
  if (!isRecord(metadata)) return;
  const at = `${path}.properties[metadata]`;
  if (metadata['type'] !== 'object') yield invalidFault(`${at}.type`, metadata['type'] ?? '', 'must be object');
  const { type: _, description: __, default: ___, properties: fields, ...others } = metadata;
  const named = Object.keys(isRecord(fields) ? fields : {}).every((name) => name === 'name' || name === 'generateName');
  if (level === 'root' && (!named || Object.keys(others).length > 0)) {
    const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
    yield forbiddenFault(at, why);
  }
}

/** Defaults are values of their schema. */
function* defaultFaults(schema: Schema, path: string): Generator<FieldFault> {
  if (schema['default'] !== undefined) {
    const { default: value, ...rest } = schema;
    const node = compileSchema(rest, { resolve: () => ({}), named: new Map(), preserve: false });
    for (const fault of validateValue(node, value, ''))
      yield { ...fault, field: fault.field === '<nil>' ? `${path}.default` : `${path}.default.${fault.field}` };
  }
  for (const child of children(schema, path)) yield* defaultFaults(child.schema, child.path);
}

function openApiFaults(schema: Schema, path: string): FieldFault[] {
  const faults = [...keywordFaults(schema, path)];
  const { not } = schema;
  for (const child of children(schema, path)) faults.push(...openApiFaults(child.schema, child.path));
  if (isRecord(not)) faults.push(...openApiFaults(not, `${path}.not`));
  for (const branch of BRANCHES) {
    const list = schema[branch];
    for (const [i, item] of (Array.isArray(list) ? list : []).entries())
      if (isRecord(item)) faults.push(...openApiFaults(item, `${path}.${branch}[${i}]`));
  }
  return [...faults, ...mapTypeFaults(schema, path), ...listTypeFaults(schema, path), ...ruleFaults(schema, path)];
}

function* keywordFaults(schema: Schema, path: string): Generator<FieldFault> {
  const { type, properties, additionalProperties, items } = schema;
  if (typeof type === 'string' && type !== '' && !TYPES.includes(type))
    yield unsupportedFault(`${path}.type`, type, TYPES);
  for (const key of UNSUPPORTED) {
    if (schema[key] !== undefined) yield forbiddenFault(`${path}.${key}`, `${key} is not supported`);
  }
  if (type === 'null')
    yield forbiddenFault(`${path}.type`, 'type cannot be set to null, use nullable as an alternative');
  if (Array.isArray(items)) yield forbiddenFault(`${path}.items`, 'items must be a schema object and not an array');
  if (schema['uniqueItems'] === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    yield forbiddenFault(`${path}.uniqueItems`, why);
  }
  const declared = isRecord(properties) && Object.keys(properties).length > 0;
  if (declared && additionalProperties !== undefined && additionalProperties !== true) {
    const why = 'additionalProperties and properties are mutual exclusive';
    yield forbiddenFault(`${path}.additionalProperties`, why);
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    yield invalidFault(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined');
}

function mapTypeFaults(schema: Schema, path: string): FieldFault[] {
  const kind = schema['x-kubernetes-map-type'];
  if (kind === undefined) return [];
  const faults = typeFaults(schema, path, 'object', 'x-kubernetes-map-type');
  const known = ['atomic', 'granular'];
  return known.includes(String(kind))
    ? faults
    : [...faults, unsupportedFault(`${path}.x-kubernetes-map-type`, kind, known)];
}

function typeFaults({ type }: Schema, path: string, wanted: string, keyword: string): FieldFault[] {
  if (type === wanted) return [];
  const why = `must be ${wanted} if ${keyword} is specified`;
  return [type ? invalidFault(`${path}.type`, type, why) : requiredFault(`${path}.type`, why)];
}

function listTypeFaults(schema: Schema, path: string): FieldFault[] {
  const kind = schema['x-kubernetes-list-type'];
  const keys = Array.isArray(schema['x-kubernetes-list-map-keys']) ? schema['x-kubernetes-list-map-keys'] : [];
  const at = `${path}.x-kubernetes-list-type`;
  const faults: FieldFault[] = [];
  if (kind !== undefined) {
    faults.push(...typeFaults(schema, path, 'array', 'x-kubernetes-list-type'));
    const known = ['atomic', 'set', 'map'];
    if (!known.includes(String(kind))) faults.push(unsupportedFault(at, kind, known));
  }
  if (keys.length > 0 && kind !== 'map') {
    const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
    faults.push(kind === undefined ? requiredFault(at, why) : invalidFault(at, kind, why));
  }
  return kind === 'map' ? [...faults, ...mapKeyFaults(schema, keys, path)] : faults;
}

function mapKeyFaults({ items }: Schema, keys: readonly unknown[], path: string): FieldFault[] {
  const at = `${path}.x-kubernetes-list-map-keys`;
  const faults: FieldFault[] = [];
  if (keys.length === 0) faults.push(requiredFault(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (!isRecord(items))
    return [...faults, requiredFault(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')];
  if (items['type'] !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...faults, invalidFault(`${path}.items.type`, items['type'] ?? '', why)];
  }
  const required = Array.isArray(items['required']) ? items['required'] : [];
  const properties = isRecord(items['properties']) ? items['properties'] : {};
  for (const [i, key] of keys.map(String).entries()) {
    const property = properties[key];
    if (!isRecord(property)) faults.push(invalidFault(at, keys, 'entries must all be names of item properties'));
    else if (property['type'] === 'array' || property['type'] === 'object') {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      faults.push(invalidFault(`${path}.items.properties[${key}].type`, items['type'], why));
    }
    if (keys.indexOf(key) < i) faults.push(invalidFault(at, keys, 'must not contain duplicate entries'));
    if (!required.includes(key) && isRecord(property) && property['default'] === undefined) {
      const why = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      faults.push(requiredFault(`${path}.items.properties[${key}].default`, why));
    }
  }
  return faults;
}

/** What a rule says beside its expression. */
function ruleFaults(schema: Schema, path: string): FieldFault[] {
  const rules = schema['x-kubernetes-validations'];
  return (Array.isArray(rules) ? rules.filter(isRecord) : []).flatMap((rule, i) => [
    ...oneRuleFaults(rule, `${path}.x-kubernetes-validations[${i}]`),
  ]);
}

function* oneRuleFaults(rule: Schema, at: string): Generator<FieldFault> {
  const [expression, message, computed, fieldPath] = ['rule', 'message', 'messageExpression', 'fieldPath'].map((key) =>
    typeof rule[key] === 'string' ? rule[key] : '',
  ) as [string, string, string, string];
  const isBlank = (text: string): boolean => text !== '' && text.trim() === '';
  const isBroken = (text: string): boolean => text.trim().includes('\n');
  if (expression.trim() === '') yield requiredFault(`${at}.rule`, 'rule is not specified');
  else if (isBlank(message)) yield invalidFault(`${at}.message`, message, 'must be non-empty if specified');
  else if (isBroken(message)) yield invalidFault(`${at}.message`, message, 'must not contain line breaks');
  else if (isBroken(expression) && message.trim() === '')
    yield requiredFault(`${at}.message`, 'message must be specified if rule contains line breaks');
  if (isBlank(computed))
    yield requiredFault(`${at}.messageExpression`, 'messageExpression must be non-empty if specified');
  if (rule['reason'] !== undefined && !REASONS.includes(String(rule['reason'])))
    yield unsupportedFault(`${at}.reason`, rule['reason'], REASONS);
  if (isBlank(fieldPath)) yield invalidFault(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified');
  if (fieldPath.includes('\n')) yield invalidFault(`${at}.fieldPath`, fieldPath, 'must not contain line breaks');
}
