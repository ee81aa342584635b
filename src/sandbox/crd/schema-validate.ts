// Owns validating a value against an OpenAPI v3 structural schema, with the API server's messages. Pure.
import { compileRegexp, type Regexp } from '../../lib/regexp.ts';
import { equalJson, getKey, isRecord, sortKeys } from '../object.ts';
import {
  duplicateFault,
  type FieldFault,
  formatValue,
  invalidFault,
  requiredFault,
  unsupportedFault,
} from '../rest/errors.ts';
import type { RawSchema, SchemaNode } from '../schema/node.ts';
import { hasFormat } from './formats.ts';

/** Faults of a value; `path` is '' for the whole object. */
export function validateValue(node: SchemaNode, value: unknown, path: string): FieldFault[] {
  const faults: FieldFault[] = [];
  validateNode(node, value, path, faults);
  return faults;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function shown(path: string): string {
  return path === '' ? '<nil>' : path;
}

function validateNode(node: SchemaNode, value: unknown, path: string, faults: FieldFault[]): void {
  const { raw } = node;
  if (value === null) {
    if (raw['nullable'] !== true && node.type !== '') faults.push(typeFault(path, 'null', node.type));
    return;
  }
  if (!checkType(node, value, path, faults)) return;
  checkConstraints(raw, value, path, faults);
  if (Array.isArray(value)) {
    checkListType(node, value, path, faults);
    if (node.type === 'array')
      for (const [i, item] of value.entries()) validateNode(node.list!.items, item, `${path}[${i}]`, faults);
    return;
  }
  if (!isRecord(value) || node.map === undefined) return;
  if (raw['x-kubernetes-embedded-resource'] === true) {
    for (const key of ['apiVersion', 'kind']) if (!value[key]) faults.push(requiredFault(join(path, key)));
  }
  for (const [key, field] of node.map.fields) {
    const item = getKey(value, key);
    if (item !== undefined && !isRequiredNull(raw, key, item, field))
      validateNode(field, item, join(path, key), faults);
  }
  const { values } = node.map;
  checkRequired(raw, value, path, faults);
  if (!isRecord(raw['additionalProperties']) || values === undefined) return;
  for (const key of Object.keys(value))
    if (!node.map.fields.has(key)) validateNode(values, getKey(value, key), join(path, key), faults);
}

function typeFault(path: string, got: string, wanted: string): FieldFault {
  const type = 'FieldValueTypeInvalid';
  return {
    type,
    field: shown(path),
    message: `Invalid value: ${JSON.stringify(got)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(got)}`,
  };
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'integer';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(node: SchemaNode, value: unknown, path: string, faults: FieldFault[]): boolean {
  const got = typeOf(value);
  if (node.raw['x-kubernetes-int-or-string'] === true) {
    if (got === 'integer' || got === 'string') return true;
    faults.push(typeFault(path, got, 'integer,string'));
    return false;
  }
  if (node.type === '' || node.type === got || (node.type === 'number' && got === 'integer')) return true;
  faults.push(typeFault(path, got, node.type));
  return false;
}

function limit(raw: RawSchema, key: string): number | undefined {
  const value = raw[key];
  return typeof value === 'number' ? value : undefined;
}

/** Constraints of one schema object; also of the branches of allOf, anyOf, oneOf and not. */
function checkConstraints(raw: RawSchema, value: unknown, path: string, faults: FieldFault[]): void {
  const allowed = raw['enum'];
  if (Array.isArray(allowed) && !allowed.some((item) => equalJson(item, value))) {
    faults.push(
      unsupportedFault(
        shown(path),
        value,
        allowed.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))),
      ),
    );
  }
  if (typeof value === 'string') checkString(raw, value, path, faults);
  else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(raw, Number(value), path, faults);
  else if (Array.isArray(value)) checkArray(raw, value, path, faults);
  else if (isRecord(value)) checkObject(raw, value, path, faults);
  checkBranches(raw, value, path, faults);
}

function body(path: string, value: unknown, says: string): FieldFault {
  return invalidFault(shown(path), value, `${path} in body ${says}`);
}

function checkString(raw: RawSchema, value: string, path: string, faults: FieldFault[]): void {
  const length = [...value].length;
  const least = limit(raw, 'minLength');
  const most = limit(raw, 'maxLength');
  const { pattern, format } = raw;
  // One of these three at most is reported.
  if (most !== undefined && length > most) {
    faults.push({
      type: 'FieldValueTooLong',
      field: shown(path),
      message: `Too long: may not be more than ${most} bytes`,
    });
  } else if (least !== undefined && length < least) {
    faults.push(body(path, value, `should be at least ${least} chars long`));
  } else if (typeof pattern === 'string' && !matches(pattern, value)) {
    faults.push(body(path, value, `should match '${pattern}'`));
  }
  if (typeof format === 'string' && !hasFormat(format, value)) {
    const fault = body(path, value, `must be of type ${format}: ${JSON.stringify(value)}`);
    faults.push({ ...fault, type: 'FieldValueTypeInvalid' });
  }
}

function checkNumber(raw: RawSchema, value: number, path: string, faults: FieldFault[]): void {
  const least = limit(raw, 'minimum');
  const most = limit(raw, 'maximum');
  const step = limit(raw, 'multipleOf');
  if (step !== undefined && step > 0) checkStep(step, value, path, faults);
  if (least !== undefined && (raw['exclusiveMinimum'] === true ? value <= least : value < least)) {
    faults.push(
      body(path, value, `should be greater than ${raw['exclusiveMinimum'] === true ? '' : 'or equal to '}${least}`),
    );
  }
  if (most !== undefined && (raw['exclusiveMaximum'] === true ? value >= most : value > most)) {
    faults.push(
      body(path, value, `should be less than ${raw['exclusiveMaximum'] === true ? '' : 'or equal to '}${most}`),
    );
  }
}

/** Of an integer the API server wants multiples of the step's whole part, of which there may be none. */
function checkStep(step: number, value: number, path: string, faults: FieldFault[]): void {
  const factor = Number.isInteger(value) ? Math.trunc(step) : step;
  if (factor === 0)
    faults.push(invalidFault(shown(path), 0, `factor MultipleOf declared for ${path} must be positive: 0`));
  else if (!Number.isInteger(value / factor)) faults.push(body(path, value, `should be a multiple of ${step}`));
}

/** A required field that is null counts as absent, and is reported as such. */
function isRequiredNull(raw: RawSchema, key: string, value: unknown, field: SchemaNode): boolean {
  const { required } = raw;
  return value === null && field.raw['nullable'] !== true && Array.isArray(required) && required.includes(key);
}

/** The API server reports absent fields after the faults of present ones. */
function checkRequired(raw: RawSchema, value: Record<string, unknown>, path: string, faults: FieldFault[]): void {
  const { required } = raw;
  if (!Array.isArray(required)) return;
  for (const key of required) {
    if (typeof key !== 'string') continue;
    const properties = raw['properties'];
    const property = isRecord(properties) ? getKey(properties, key) : undefined;
    const isAbsent = getKey(value, key) === null && !(isRecord(property) && property['nullable'] === true);
    if (!Object.hasOwn(value, key) || isAbsent) faults.push(requiredFault(join(path, key)));
  }
}

function tooMany(path: string, count: number, most: number): FieldFault {
  return {
    type: 'FieldValueTooMany',
    field: shown(path),
    message: `Too many: ${count}: must have at most ${most} items`,
  };
}

function checkArray(raw: RawSchema, value: readonly unknown[], path: string, faults: FieldFault[]): void {
  const least = limit(raw, 'minItems');
  const most = limit(raw, 'maxItems');
  if (least !== undefined && value.length < least) {
    faults.push(invalidFault(shown(path), value.length, `${path} in body should have at least ${least} items`));
  }
  if (most !== undefined && value.length > most) faults.push(tooMany(path, value.length, most));
}

function checkObject(raw: RawSchema, value: Record<string, unknown>, path: string, faults: FieldFault[]): void {
  const count = Object.keys(value).length;
  const least = limit(raw, 'minProperties');
  const most = limit(raw, 'maxProperties');
  if (least !== undefined && count < least) {
    faults.push(invalidFault(shown(path), count, `${path} in body should have at least ${least} properties`));
  }
  if (most !== undefined && count > most) faults.push(tooMany(path, count, most));
}

/** The first fault of a value against a branch, or none. Branches constrain; they declare no types of their own. */
function branchFaults(branch: unknown, value: unknown, path: string): FieldFault[] {
  const faults: FieldFault[] = [];
  if (!isRecord(branch)) return faults;
  const type = branch['type'];
  const got = typeOf(value);
  if (typeof type === 'string' && type !== got && !(type === 'number' && got === 'integer'))
    return [typeFault(path, got, type)];
  checkConstraints(branch, value, path, faults);
  const properties = branch['properties'];
  if (isRecord(properties) && isRecord(value)) {
    for (const key of Object.keys(properties)) {
      const item = getKey(value, key);
      if (item !== undefined) faults.push(...branchFaults(properties[key], item, join(path, key)));
    }
  }
  if (isRecord(value)) checkRequired(branch, value, path, faults);
  const { items } = branch;
  if (isRecord(items) && Array.isArray(value))
    for (const [i, item] of value.entries()) faults.push(...branchFaults(items, item, `${path}[${i}]`));
  return faults;
}

function checkBranches(raw: RawSchema, value: unknown, path: string, faults: FieldFault[]): void {
  const { allOf, anyOf, oneOf } = raw;
  const says = (text: string): FieldFault => ({
    type: 'FieldValueInvalid',
    field: shown(path),
    message: `Invalid value: ${isRecord(value) || Array.isArray(value) ? JSON.stringify(value) : formatValue(value)}: ${JSON.stringify(path)} ${text}`,
  });
  if (Array.isArray(allOf)) for (const branch of allOf) faults.push(...branchFaults(branch, value, path));
  if (Array.isArray(anyOf)) {
    const results = anyOf.map((branch) => branchFaults(branch, value, path));
    if (results.every((found) => found.length > 0)) {
      faults.push(says('must validate at least one schema (anyOf)'), ...(results[0] ?? []));
    }
  }
  if (Array.isArray(oneOf)) {
    const results = oneOf.map((branch) => branchFaults(branch, value, path));
    const valid = results.filter((found) => found.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
      faults.push(
        says(`must validate one and only one schema (oneOf). ${found}`),
        ...(valid === 0 ? (results[0] ?? []) : []),
      );
    }
  }
  if (isRecord(raw['not']) && branchFaults(raw['not'], value, path).length === 0)
    faults.push(says('must not validate the schema (not)'));
}

/** Sets and maps hold each item once. */
function checkListType(node: SchemaNode, value: readonly unknown[], path: string, faults: FieldFault[]): void {
  const list = node.list;
  const type = node.raw['x-kubernetes-list-type'];
  if (list === undefined || (type !== 'set' && type !== 'map')) return;
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    const key =
      type === 'map' && isRecord(item) ? Object.fromEntries(list.keys.map((name) => [name, getKey(item, name)])) : item;
    const text = JSON.stringify(key, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
    if (seen.has(text)) faults.push(duplicateFault(`${path}[${i}]`, sortKeys(key)));
    seen.add(text);
  }
}

const compiled = new Map<string, Regexp | undefined>();

/** A pattern is RE2; one that does not compile was refused with its CRD, so it constrains nothing here. */
function matches(pattern: string, value: string): boolean {
  if (!compiled.has(pattern)) compiled.set(pattern, compile(pattern));
  return compiled.get(pattern)?.test(value) ?? true;
}

function compile(pattern: string): Regexp | undefined {
  try {
    return compileRegexp(pattern);
  } catch {
    return undefined;
  }
}
