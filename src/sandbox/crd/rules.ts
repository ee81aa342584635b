// Owns where the rules of custom resources (`x-kubernetes-validations`) are evaluated: which values they see, transition
// rules, and how their faults read. The expression language comes in as a `RuleEngine`. Pure.

import type { RuleMeter } from '../../lang/cel/rule.ts';
import type { JsonValue } from '../../lib/json.ts';
import { itemElement } from '../apply/items.ts';
import { equalJson, getKey, isRecord } from '../object.ts';
import { type FieldFault, formatValue, invalidFault } from '../rest/errors.ts';
import type { RawSchema, SchemaNode } from '../schema/node.ts';

/** Values that a rule sees. `oldSelf` is undefined for a new value. */
export interface RuleInput {
  readonly self: JsonValue;
  readonly oldSelf?: JsonValue | undefined;
}

export interface CompiledRule {
  /** The rule mentions `oldSelf`. */
  readonly isTransition: boolean;
  /** Throws when the rule has no result. */
  holds(input: RuleInput, meter: RuleMeter): boolean;
}

interface CompileOptions {
  readonly optionalOldSelf?: boolean;
}

/** The expression language of rules, passed to the server by who has one (the shape of lang/cel/rule.ts). */
export interface RuleEngine {
  /** Compiles a rule against the schema it stands at. Throws when it is malformed. */
  compileRule(text: string, schema: RawSchema, options: CompileOptions): CompiledRule;
  /** Compiles a `messageExpression`. Throws when it is malformed. */
  compileMessage(
    text: string,
    schema: RawSchema,
    options: CompileOptions,
  ): (input: RuleInput, meter: RuleMeter) => string;
}

interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

interface Compiled {
  readonly rule: Rule;
  readonly program: CompiledRule;
  readonly message: ((input: RuleInput, meter: RuleMeter) => string) | undefined;
}

interface Walk {
  readonly engine: RuleEngine;
  readonly faults: FieldFault[];
  readonly meter: RuleMeter;
  /** The budget is used up: no further rules run. */
  over: boolean;
}

/** Steps of all rules of one object, about a second of work. */
const BUDGET = 10_000_000;

/** Faults of a value by the rules of its schema. `old` is the value before the change, undefined for a new one. */
export function checkRules(
  engine: RuleEngine,
  node: SchemaNode,
  values: { self: unknown; old: unknown },
): FieldFault[] {
  const walk: Walk = { engine, faults: [], meter: { spent: 0, values: new WeakMap() }, over: false };
  visit(walk, node, values, '');
  return walk.faults;
}

function visit(walk: Walk, node: SchemaNode, values: { self: unknown; old: unknown }, path: string): void {
  const { self, old } = values;
  if (self === null || self === undefined) return;
  for (const rule of compiledRules(walk.engine, node)) {
    if (walk.over) return;
    checkRule(walk, node, { rule, values, path });
  }
  if (Array.isArray(self)) {
    const items = node.list?.items;
    if (items === undefined || node.type !== 'array') return;
    for (const [i, item] of self.entries())
      visit(walk, items, { self: item, old: oldItem(node, item, old) }, `${path}[${i}]`);
    return;
  }
  if (!isRecord(self) || node.map === undefined || node.type !== 'object') return;
  for (const key of Object.keys(self)) {
    const child = node.map.fields.get(key) ?? node.map.values;
    if (child === undefined) continue;
    const before = isRecord(old) ? getKey(old, key) : undefined;
    visit(walk, child, { self: getKey(self, key), old: before }, path === '' ? key : `${path}.${key}`);
  }
}

/** The item of the old list that this one was: only lists of maps tell. */
function oldItem(node: SchemaNode, item: unknown, old: unknown): unknown {
  const list = node.list;
  if (list === undefined || list.atomic || !Array.isArray(old)) return undefined;
  const wanted = itemElement(list, item);
  return old.find((other) => equalJson(itemElement(list, other), wanted));
}

function rulesOf(node: SchemaNode): readonly Rule[] {
  const rules = node.raw['x-kubernetes-validations'];
  return Array.isArray(rules) ? (rules as Rule[]) : [];
}

const ruled = new WeakMap<RawSchema, boolean>();

/** Whether a schema has rules anywhere. */
export function hasRules(raw: RawSchema): boolean {
  let known = ruled.get(raw);
  if (known === undefined) ruled.set(raw, (known = JSON.stringify(raw).includes('"x-kubernetes-validations"')));
  return known;
}

const compiled = new WeakMap<RawSchema, readonly Compiled[]>();

function compiledRules(engine: RuleEngine, node: SchemaNode): readonly Compiled[] {
  let list = compiled.get(node.raw);
  if (list === undefined) {
    list = rulesOf(node).map((rule) => compileOne(engine, rule, node.raw));
    compiled.set(node.raw, list);
  }
  return list;
}

function compileOne(engine: RuleEngine, rule: Rule, schema: RawSchema): Compiled {
  const options = { optionalOldSelf: rule.optionalOldSelf === true };
  const message = rule.messageExpression ? engine.compileMessage(rule.messageExpression, schema, options) : undefined;
  return { rule, program: engine.compileRule(rule.rule, schema, options), message };
}

/** Faults of the rules of a schema that do not compile; `path` is that of the schema in its definition. */
export function checkRuleTexts(engine: RuleEngine, schema: unknown, path: string): FieldFault[] {
  if (!isRecord(schema)) return [];
  const faults: FieldFault[] = [];
  const rules = schema['x-kubernetes-validations'];
  for (const [i, rule] of (Array.isArray(rules) ? (rules as Rule[]) : []).entries()) {
    try {
      compileOne(engine, rule, schema);
    } catch (error) {
      const why = `compilation failed: ${(error as Error).message}`;
      faults.push(invalidFault(`${path}.x-kubernetes-validations[${i}].rule`, rule.rule, why));
    }
  }
  for (const [key, property] of Object.entries(isRecord(schema['properties']) ? schema['properties'] : {})) {
    faults.push(...checkRuleTexts(engine, property, `${path}.properties[${key}]`));
  }
  faults.push(...checkRuleTexts(engine, schema['items'], `${path}.items`));
  faults.push(...checkRuleTexts(engine, schema['additionalProperties'], `${path}.additionalProperties`));
  return faults;
}

const CAUSES: Readonly<Record<string, string>> = {
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
};

interface Checked {
  readonly rule: Compiled;
  readonly values: { readonly self: unknown; readonly old: unknown };
  readonly path: string;
}

function checkRule(walk: Walk, node: SchemaNode, checked: Checked): void {
  const { faults, meter } = walk;
  const { rule, program, message } = checked.rule;
  const {
    values: { self, old },
    path,
  } = checked;
  // A rule that looks at the old value says nothing of a new one, unless it asks to.
  if (program.isTransition && old === undefined && rule.optionalOldSelf !== true) return;
  const field = rule.fieldPath ? `${path}${rule.fieldPath}` : path === '' ? '<nil>' : path;
  const input = { self: self as JsonValue, oldSelf: old as JsonValue | undefined };
  let held: boolean;
  try {
    held = program.holds(input, meter);
  } catch (error) {
    faults.push(invalidFault(path === '' ? '<nil>' : path, node.type, failureOf(error, rule)));
    walk.over = isLimit(error);
    return;
  }
  if (!held) faults.push(fault(rule, field, self, messageOf(rule, message, { input, meter })));
  if (meter.spent <= BUDGET) return;
  const why = 'validation failed due to running out of cost budget, no further validation rules will be run';
  faults.push(invalidFault(path === '' ? '<nil>' : path, node.type, why));
  walk.over = true;
}

function isLimit(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'CelLimit';
}

function failureOf(error: unknown, rule: Rule): string {
  const told = rule.message ?? rule.rule;
  const { message } = error as Error;
  if (isLimit(error)) {
    const why = 'no further validation rules will be run due to call cost exceeds limit for rule';
    return `'operation cancelled: actual cost limit exceeded': ${why}: ${told}`;
  }
  if (!message.startsWith('no such overload')) return `${message} evaluating rule: ${told}`;
  return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${told}`;
}

function messageOf(
  rule: Rule,
  compute: Compiled['message'],
  { input, meter }: { readonly input: RuleInput; readonly meter: RuleMeter },
): string {
  try {
    const text = compute?.(input, meter).trim();
    if (text && !text.includes('\n')) return text;
  } catch {
    // The API server falls back to the plain message, and so does this.
  }
  return rule.message ?? `failed rule: ${rule.rule}`;
}

function fault(rule: Rule, field: string, value: unknown, message: string): FieldFault {
  const type = rule.reason ?? 'FieldValueInvalid';
  const cause = CAUSES[type];
  if (cause !== undefined) return { type, field, message: `${cause}: ${message}` };
  // Whole lists and objects are too much to show.
  const shown = typeof value === 'object' && value !== null ? '' : `${formatValue(value)}: `;
  return { type, field, message: `Invalid value: ${shown}${message}` };
}
