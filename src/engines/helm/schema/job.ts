// Owns judging one value by one schema object: every keyword but type, const, enum and format, which validate.ts asks
// first. Findings come in the order of the validator that Helm uses, those of one object in the order of its keys.
import { compareStrings } from '../../../lang/gotemplate/value.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../lib/json.ts';
import { absent, duplicate, isMultiple } from './compare.ts';
import type { Schema, SchemaDocument } from './document.ts';
import { count, type Finding, number, quote } from './finding.ts';

/** What `unevaluatedProperties` and `unevaluatedItems` have not seen judged yet. */
export interface Unevaluated {
  readonly properties: Set<string>;
  readonly items: Set<number>;
}

/** Where in value and schema the judging stands. */
export interface Place {
  readonly path: readonly string[];
  readonly depth: number;
  /** The way through the schema, references included: `/properties/a/$ref`. */
  readonly keyword: string;
  /** The schemas already at work on this same value, and how they were reached. */
  readonly trail: readonly { readonly schema: Schema; readonly keyword: string }[];
}

export interface Outcome {
  readonly finding: Finding | undefined;
  readonly unevaluated: Unevaluated;
}

/** Judges other values and schemas on the way; validate.ts is the one. */
export interface Runner {
  readonly run: (schema: Schema, value: JsonValue, place: Place) => Outcome;
}

/** Limits of how many there are, which are shown as whole numbers. */
const COUNTS = new Set(['minProperties', 'maxProperties', 'minItems', 'maxItems', 'minLength', 'maxLength']);

/** Judging one value by one schema object. */
export class Job {
  readonly #validator: Runner;
  readonly #document: SchemaDocument;
  readonly #schema: JsonObject;
  readonly #value: JsonValue;
  readonly #place: Place;
  readonly #unevaluated: Unevaluated;
  readonly #findings: Finding[] = [];

  constructor(
    validator: Runner,
    document: SchemaDocument,
    task: {
      readonly schema: JsonObject;
      readonly value: JsonValue;
      readonly place: Place;
      readonly unevaluated: Unevaluated;
    },
  ) {
    this.#validator = validator;
    this.#document = document;
    this.#schema = task.schema;
    this.#value = task.value;
    this.#place = task.place;
    this.#unevaluated = task.unevaluated;
  }

  run(): Outcome {
    const { draft } = this.#document;
    const unevaluated = this.#unevaluated;
    const reference = this.#schema['$ref'];
    if (typeof reference === 'string') {
      this.#reference('$ref', reference);
      if (draft < 2019) return { finding: this.#findings[0], unevaluated };
    }
    if (isJsonObject(this.#value)) this.#judgeObject(this.#value);
    else if (Array.isArray(this.#value)) this.#judgeList(this.#value as readonly JsonValue[]);
    else if (typeof this.#value === 'string') this.#judgeText(this.#value);
    else if (typeof this.#value === 'number' || typeof this.#value === 'bigint') this.#judgeNumber(this.#value);
    if (draft >= 2019) this.#laterReferences();
    this.#judgeConditions();
    if (draft >= 2019) this.#judgeUnevaluated();
    const [first] = this.#findings;
    if (this.#findings.length < 2) return { finding: first, unevaluated };
    return { finding: finding(this.#place, 'validation failed', this.#findings, 'group'), unevaluated };
  }

  // --- helpers -------------------------------------------------------------------------------

  #add(text: string, causes: readonly Finding[] = []): void {
    this.#findings.push(finding(this.#place, text, causes));
  }

  #addIf(found: Finding | undefined): void {
    if (found !== undefined) this.#findings.push(found);
  }

  /** Another schema on the same value; what it has judged counts as judged here. */
  #self(schema: Schema, referredBy?: string): Finding | undefined {
    const { path, depth, trail, keyword } = this.#place;
    const outcome = this.#validator.run(schema, this.#value, {
      path,
      depth: depth + 1,
      keyword: referredBy === undefined ? this.#keywordOf(schema) : `${keyword}/${referredBy}`,
      trail: [...trail, { schema: this.#schema, keyword }],
    });
    if (outcome.finding === undefined) {
      for (const name of this.#unevaluated.properties) {
        if (!outcome.unevaluated.properties.has(name)) this.#unevaluated.properties.delete(name);
      }
      for (const index of this.#unevaluated.items) {
        if (!outcome.unevaluated.items.has(index)) this.#unevaluated.items.delete(index);
      }
    }
    return outcome.finding;
  }

  #child(schema: Schema, value: JsonValue, token: string): Finding | undefined {
    const { path, depth } = this.#place;
    const keyword = this.#keywordOf(schema);
    return this.#validator.run(schema, value, { path: [...path, token], depth: depth + 1, keyword, trail: [] }).finding;
  }

  #keywordOf(schema: Schema): string {
    return this.#place.keyword + this.#document.locate(schema).slice(this.#document.locate(this.#schema).length);
  }

  #schemaAt(keyword: string): Schema | undefined {
    const schema = Object.hasOwn(this.#schema, keyword) ? this.#schema[keyword] : undefined;
    return isJsonObject(schema) || typeof schema === 'boolean' ? schema : undefined;
  }

  #schemasAt(keyword: string): Schema[] {
    const list = this.#schema[keyword];
    return Array.isArray(list) ? (list as Schema[]) : [];
  }

  #namedAt(keyword: string): [string, JsonValue][] {
    const named = this.#schema[keyword];
    return isJsonObject(named)
      ? Object.keys(named)
          .sort(compareStrings)
          .map((name) => [name, named[name]!])
      : [];
  }

  #numberAt(keyword: string): number | undefined {
    const value = this.#schema[keyword];
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
  }

  #reference(keyword: string, reference: string): void {
    const found = this.#self(this.#document.resolve(reference), keyword);
    if (found === undefined) return;
    const causes = found.kind === 'group' ? found.causes : [found];
    this.#findings.push(finding(this.#place, 'validation failed', causes, 'reference'));
  }

  #laterReferences(): void {
    for (const keyword of ['$recursiveRef', '$dynamicRef'] as const) {
      const reference = this.#schema[keyword];
      if (typeof reference === 'string') this.#reference(keyword, reference);
    }
  }

  // --- objects -------------------------------------------------------------------------------

  #judgeObject(object: JsonObject): void {
    const names = Object.keys(object).sort(compareStrings);
    this.#limit('minProperties', names.length, (got, want) => got < want);
    this.#limit('maxProperties', names.length, (got, want) => got > want);
    const missing = absent(object, this.#schema['required']);
    if (missing.length === 1) this.#add(`missing property ${quote(missing[0]!)}`);
    else if (missing.length > 1) this.#add(`missing properties ${missing.map(quote).join(', ')}`);
    for (const [name, dependency] of this.#namedAt('dependencies')) {
      if (!Object.hasOwn(object, name)) continue;
      if (Array.isArray(dependency)) this.#dependents(object, name, dependency as JsonValue);
      else this.#addIf(this.#self(dependency as Schema));
    }
    this.#judgeProperties(object, names);
    const { draft } = this.#document;
    if (draft >= 6) this.#judgeNames(names);
    if (draft < 2019) return;
    for (const [name, schema] of this.#namedAt('dependentSchemas')) {
      if (Object.hasOwn(object, name)) this.#addIf(this.#self(schema as Schema));
    }
    for (const [name, needed] of this.#namedAt('dependentRequired')) {
      if (Object.hasOwn(object, name)) this.#dependents(object, name, needed);
    }
  }

  #dependents(object: JsonObject, name: string, needed: JsonValue): void {
    const missing = absent(object, needed);
    if (missing.length > 0) this.#add(`properties ${missing.map(quote).join(', ')} required, if ${quote(name)} exists`);
  }

  #judgeProperties(object: JsonObject, names: readonly string[]): void {
    const properties = this.#schema['properties'];
    const patterns = this.#namedAt('patternProperties');
    const additional = this.#schemaAt('additionalProperties');
    const refused: string[] = [];
    for (const name of names) {
      const value = object[name]!;
      let evaluated = false;
      if (isJsonObject(properties) && Object.hasOwn(properties, name)) {
        evaluated = true;
        this.#addIf(this.#child(properties[name] as Schema, value, name));
      }
      for (const [pattern, schema] of patterns) {
        if (!this.#document.pattern(pattern).test(name)) continue;
        evaluated = true;
        this.#addIf(this.#child(schema as Schema, value, name));
      }
      if (!evaluated && additional !== undefined) {
        evaluated = true;
        if (additional === false) refused.push(name);
        else this.#addIf(this.#child(additional, value, name));
      }
      if (evaluated) this.#unevaluated.properties.delete(name);
    }
    if (refused.length > 0) this.#add(`additional properties ${refused.map(quote).join(', ')} not allowed`);
  }

  #judgeNames(names: readonly string[]): void {
    const schema = this.#schemaAt('propertyNames');
    if (schema === undefined) return;
    for (const name of names) {
      const found = this.#validator.run(schema, name, {
        path: [],
        depth: this.#place.depth + 1,
        keyword: this.#keywordOf(schema),
        trail: [],
      }).finding;
      if (found === undefined) continue;
      const causes = found.kind === 'group' ? found.causes : [found];
      this.#add(`invalid propertyName ${quote(name)}`, causes);
    }
  }

  // --- lists ---------------------------------------------------------------------------------

  #judgeList(list: readonly JsonValue[]): void {
    this.#limit('minItems', list.length, (got, want) => got < want);
    this.#limit('maxItems', list.length, (got, want) => got > want);
    if (this.#schema['uniqueItems'] === true) {
      const twice = duplicate(list);
      if (twice !== undefined) this.#add(`items at ${count(twice[0])} and ${count(twice[1])} are equal`);
    }
    if (this.#document.draft < 2020) this.#judgeItems(list);
    else {
      const prefix = this.#schemasAt('prefixItems');
      this.#eachItem(list, 0, prefix);
      const rest = this.#schemaAt('items');
      if (rest !== undefined) this.#restItems(list, Math.min(prefix.length, list.length), rest);
    }
    if (this.#document.draft >= 6) this.#judgeContains(list);
  }

  #judgeItems(list: readonly JsonValue[]): void {
    const every = this.#schemaAt('items');
    if (every !== undefined) {
      this.#restItems(list, 0, every);
      return;
    }
    if (!Array.isArray(this.#schema['items'])) return;
    const schemas = this.#schemasAt('items');
    this.#eachItem(list, 0, schemas);
    const rest = this.#schemaAt('additionalItems');
    const extra = list.length - Math.min(schemas.length, list.length);
    if (rest === false && extra > 0) this.#add(`last ${count(extra)} additionalItem(s) not allowed`);
    else if (rest !== undefined && rest !== false) this.#restItems(list, schemas.length, rest);
  }

  #eachItem(list: readonly JsonValue[], from: number, schemas: readonly Schema[]): void {
    for (const [index, schema] of schemas.entries()) {
      const item = list[from + index];
      if (item === undefined) return;
      this.#unevaluated.items.delete(from + index);
      this.#addIf(this.#child(schema, item, String(from + index)));
    }
  }

  #restItems(list: readonly JsonValue[], from: number, schema: Schema): void {
    for (let index = from; index < list.length; index++) {
      this.#unevaluated.items.delete(index);
      this.#addIf(this.#child(schema, list[index]!, String(index)));
    }
  }

  #judgeContains(list: readonly JsonValue[]): void {
    const schema = this.#schemaAt('contains');
    if (schema === undefined) return;
    const causes: Finding[] = [];
    const matched: number[] = [];
    for (const [index, item] of list.entries()) {
      const found = this.#child(schema, item, String(index));
      if (found !== undefined) causes.push(found);
      else {
        matched.push(index);
        if (this.#document.draft >= 2020) this.#unevaluated.items.delete(index);
      }
    }
    const late = this.#document.draft >= 2019;
    const [least, most] = late ? [this.#numberAt('minContains'), this.#numberAt('maxContains')] : [];
    const items = (want: number) => `${count(want)} items required to match contains schema, but`;
    const got = `matched ${count(matched.length)} items at ${matched.join(' ')}`;
    if (least === undefined && matched.length === 0) this.#add('no items match contains schema', causes);
    if (least !== undefined && matched.length < least) {
      this.#add(`min ${items(least)} ${matched.length === 0 ? 'none matched' : got}`, causes);
    }
    if (most !== undefined && matched.length > most) this.#add(`max ${items(most)} ${got}`);
  }

  // --- scalars -------------------------------------------------------------------------------

  #judgeText(text: string): void {
    const length = Array.from(text).length;
    this.#limit('minLength', length, (got, want) => got < want);
    this.#limit('maxLength', length, (got, want) => got > want);
    const pattern = this.#schema['pattern'];
    if (typeof pattern === 'string' && !this.#document.pattern(pattern).test(text)) {
      this.#add(`${quote(text)} does not match pattern ${quote(pattern)}`);
    }
  }

  #judgeNumber(value: number | bigint): void {
    // Draft 4 says with a boolean that the plain limit is exclusive.
    const low = this.#schema['exclusiveMinimum'] === true ? 'minimum' : 'exclusiveMinimum';
    const high = this.#schema['exclusiveMaximum'] === true ? 'maximum' : 'exclusiveMaximum';
    if (low !== 'minimum') this.#limit('minimum', value, (got, want) => got < want);
    if (high !== 'maximum') this.#limit('maximum', value, (got, want) => got > want);
    this.#limit(low, value, (got, want) => got <= want, 'exclusiveMinimum');
    this.#limit(high, value, (got, want) => got >= want, 'exclusiveMaximum');
    this.#limit('multipleOf', value, (got, want) => want !== 0 && !isMultiple(got, want));
  }

  #limit(keyword: string, got: number | bigint, fails: (got: number, want: number) => boolean, shown = keyword): void {
    const want = this.#numberAt(keyword);
    if (want === undefined || !fails(Number(got), want)) return;
    const show = COUNTS.has(keyword) ? count : number;
    this.#add(`${shown}: got ${show(Number(got))}, want ${show(want)}`);
  }

  // --- combinations --------------------------------------------------------------------------

  #judgeConditions(): void {
    const not = this.#schemaAt('not');
    if (not !== undefined && this.#self(not) === undefined) this.#add("'not' failed");
    const failed = this.#schemasAt('allOf').flatMap((schema) => this.#self(schema) ?? []);
    if (failed.length > 0) this.#add("'allOf' failed", failed);
    this.#judgeAnyOf();
    this.#judgeOneOf();
    if (this.#document.draft < 7) return;
    const condition = this.#schemaAt('if');
    if (condition === undefined) return;
    const branch = this.#schemaAt(this.#self(condition) === undefined ? 'then' : 'else');
    if (branch !== undefined) this.#addIf(this.#self(branch));
  }

  #judgeAnyOf(): void {
    const schemas = this.#schemasAt('anyOf');
    const causes = schemas.map((schema) => this.#self(schema));
    if (schemas.length > 0 && causes.every((cause) => cause !== undefined)) {
      this.#add("'anyOf' failed", causes as Finding[]);
    }
  }

  #judgeOneOf(): void {
    const schemas = this.#schemasAt('oneOf');
    if (schemas.length === 0) return;
    const causes: Finding[] = [];
    let matched = -1;
    for (const [index, schema] of schemas.entries()) {
      const found = this.#self(schema);
      if (found !== undefined) {
        causes.push(found);
        continue;
      }
      if (matched >= 0) {
        this.#add(`'oneOf' failed, subschemas ${count(matched)}, ${count(index)} matched`);
        return;
      }
      matched = index;
    }
    if (matched < 0) this.#add("'oneOf' failed, none matched", causes);
  }

  #judgeUnevaluated(): void {
    const properties = this.#schemaAt('unevaluatedProperties');
    if (properties !== undefined && isJsonObject(this.#value)) {
      for (const name of this.#unevaluated.properties) this.#addIf(this.#child(properties, this.#value[name]!, name));
      this.#unevaluated.properties.clear();
    }
    const items = this.#schemaAt('unevaluatedItems');
    if (items !== undefined && Array.isArray(this.#value)) {
      for (const index of this.#unevaluated.items) {
        this.#addIf(this.#child(items, this.#value[index] as JsonValue, String(index)));
      }
      this.#unevaluated.items.clear();
    }
  }
}

/** A finding at a place. */
export function finding(
  place: Place,
  text: string,
  causes: readonly Finding[] = [],
  kind: Finding['kind'] = 'finding',
): Finding {
  return { path: place.path, kind, text, causes };
}

/** Everything that a value has to be judged. */
export function allOf(value: JsonValue): Unevaluated {
  const properties = isJsonObject(value) ? Object.keys(value).sort(compareStrings) : [];
  return { properties: new Set(properties), items: new Set(Array.isArray(value) ? value.keys() : []) };
}

const NOTHING: Unevaluated = { properties: new Set(), items: new Set() };

/** Nothing left to judge. Shared: things are only ever taken out of these sets. */
export function nothing(): Unevaluated {
  return NOTHING;
}
