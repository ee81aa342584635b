// Owns judging a value by a JSON Schema (drafts 4 to 2020-12), in the order and with the short cuts of the validator
// that Helm uses, so that the findings are the same. Findings of one object come in the order of its keys.

import { goQuote } from '../../../lib/goquote.ts';
import type { JsonObject, JsonValue } from '../../../lib/json.ts';
import { HelmError } from '../errors.ts';
import { equals, isInteger, typeName } from './compare.ts';
import { SCHEMA_URL, type Schema, type SchemaDocument } from './document.ts';
import { display, type Finding, quote } from './finding.ts';
import { checkFormat } from './format.ts';
import { allOf, finding, Job, nothing, type Outcome, type Place } from './job.ts';

/** Real schemas take thousands; every finding on the way is kept until its parent is judged. */
const MAX_STEPS = 250_000;
const MAX_DEPTH = 400;

/** Judges a value; undefined when nothing is wrong. Throws HelmError `SchemaViolation` for a schema without end. */
export function validate(document: SchemaDocument, value: JsonValue): Finding | undefined {
  return new Validator(document).run(document.root, value, { path: [], depth: 0, keyword: '', trail: [] }).finding;
}

class Validator {
  readonly #document: SchemaDocument;
  #steps = 0;

  constructor(document: SchemaDocument) {
    this.#document = document;
  }

  run(schema: Schema, value: JsonValue, place: Place): Outcome {
    const unevaluated = this.#document.tracksUnevaluated ? allOf(value) : nothing();
    const say = (text: string): Outcome => ({ finding: finding(place, text), unevaluated });
    if (++this.#steps > MAX_STEPS || place.depth > MAX_DEPTH) {
      throw new HelmError('SchemaViolation', 'schema takes too many steps to judge a value', {});
    }
    if (typeof schema === 'boolean')
      return schema ? { finding: undefined, unevaluated: nothing() } : say('false schema');
    const earlier = place.trail.find((each) => each.schema === schema);
    if (earlier !== undefined) {
      const url = goQuote(`${SCHEMA_URL}#${this.#document.locate(schema)}`);
      return say(`both ${place.keyword} and ${earlier.keyword} resolve to ${url} causing reference cycle`);
    }
    const first =
      this.#checkType(schema, value) ?? this.#checkChoice(schema, value) ?? this.#checkFormat(schema, value);
    if (first !== undefined) return say(first);
    return new Job(this, this.#document, { schema, value, place, unevaluated }).run();
  }

  #checkType(schema: JsonObject, value: JsonValue): string | undefined {
    const types = [schema['type'] ?? []].flat() as string[];
    const got = typeName(value);
    if (types.length === 0 || types.includes(got) || (types.includes('integer') && isInteger(value))) return undefined;
    const order = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];
    return `got ${got}, want ${order.filter((type) => types.includes(type)).join(' or ')}`;
  }

  #checkChoice(schema: JsonObject, value: JsonValue): string | undefined {
    const wanted = schema['const'];
    if (wanted !== undefined && this.#document.draft >= 6 && !equals(value, wanted)) {
      return typeof wanted === 'object' && wanted !== null ? "'const' failed" : `value must be ${display(wanted)}`;
    }
    const choices = schema['enum'];
    if (!Array.isArray(choices) || choices.some((choice: JsonValue) => equals(value, choice))) return undefined;
    if (choices.some((choice: JsonValue) => typeof choice === 'object' && choice !== null)) return "'enum' failed";
    const shown = choices.map(display);
    return shown.length === 1 ? `value must be ${shown[0]}` : `value must be one of ${shown.join(', ')}`;
  }

  #checkFormat(schema: JsonObject, value: JsonValue): string | undefined {
    const format = schema['format'];
    // Later drafts take formats for annotations.
    if (typeof format !== 'string' || typeof value !== 'string' || this.#document.draft >= 2019) return undefined;
    const problem = checkFormat(format, value);
    return problem === undefined ? undefined : `${quote(value)} is not valid ${format}: ${problem}`;
  }
}
