// Owns where the rules of custom resources (`x-kubernetes-validations`) are evaluated: which values they see, transition
// rules, and how their faults read. The expression language comes in as a `RuleEngine`. Pure.

import { itemElement } from '../apply/items.ts';
import { equalJson, getKey, isRecord } from '../object.ts';
import type { FieldFault } from '../rest/errors.ts';
import type { SchemaNode } from '../schema/node.ts';

/** Values that a rule sees. `oldSelf` is undefined but for transition rules. */
export interface RuleVariables {
  readonly self: unknown;
  readonly oldSelf?: unknown;
}

/** A compiled expression. Throws when the evaluation fails. */
export type RuleProgram = (variables: RuleVariables) => unknown;

/** The expression language of rules, passed to the server by who has one. */
export interface RuleEngine {
  /** Compiles an expression. Throws when it is malformed. */
  compile(expression: string): RuleProgram;
}

interface Rule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const USES_OLD_SELF = /\boldSelf\b/;

interface Walk {
  readonly engine: RuleEngine;
  readonly faults: FieldFault[];
}

/** Faults of a value by the rules of its schema. `old` is the value before the change, undefined for a new one. */
export function checkRules(
  engine: RuleEngine,
  node: SchemaNode,
  values: { self: unknown; old: unknown },
): FieldFault[] {
  const walk: Walk = { engine, faults: [] };
  visit(walk, node, values, '');
  return walk.faults;
}

function visit(walk: Walk, node: SchemaNode, values: { self: unknown; old: unknown }, path: string): void {
  const { self, old } = values;
  if (self === null || self === undefined) return;
  for (const rule of rulesOf(node)) checkRule(walk, rule, values, path);
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

const CAUSES: Readonly<Record<string, string>> = {
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
};

function checkRule(
  { engine, faults }: Walk,
  rule: Rule,
  { self, old }: { self: unknown; old: unknown },
  path: string,
): void {
  // A rule that looks at the old value says nothing of a new one, unless it asks to.
  if (USES_OLD_SELF.test(rule.rule) && old === undefined && rule.optionalOldSelf !== true) return;
  const field = rule.fieldPath ? `${path}${rule.fieldPath}` : path === '' ? '<nil>' : path;
  let held: unknown;
  try {
    held = engine.compile(rule.rule)({ self, oldSelf: old });
  } catch (error) {
    faults.push(fault(rule, field, self, `rule evaluation error: ${(error as Error).message}`));
    return;
  }
  if (held !== true) faults.push(fault(rule, field, self, messageOf(engine, rule, { self, oldSelf: old })));
}

function messageOf(engine: RuleEngine, rule: Rule, variables: RuleVariables): string {
  if (rule.messageExpression) {
    try {
      const text = engine.compile(rule.messageExpression)(variables);
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text.trim();
    } catch {
      // The API server falls back to the plain message, and so does this.
    }
  }
  return rule.message ?? `failed rule: ${rule.rule}`;
}

function fault(rule: Rule, field: string, value: unknown, message: string): FieldFault {
  const type = rule.reason ?? 'FieldValueInvalid';
  const cause = CAUSES[type];
  if (cause !== undefined) return { type, field, message: `${cause}: ${message}` };
  const shown = Array.isArray(value) ? '"array"' : isRecord(value) ? '"object"' : JSON.stringify(value);
  return { type, field, message: `Invalid value: ${shown}: ${message}` };
}
