// Owns sprig's functions on values of any type: defaults, types, choices, JSON.

import type { Execution } from '../execution.ts';
import { func, funcWith, type GoFunction, variadic } from '../function.ts';
import { marshalJson, unmarshalJson } from '../json.ts';
import { ANY, BOOL, GoError, type GoValue, kindOf, STRING, typeName } from '../value.ts';
import { isEmpty } from './cast.ts';
import { deepEqual } from './compare.ts';

export function valueFunctions(): [string, GoFunction][] {
  return [
    ['default', variadic([ANY], ANY, (fallback, ...given) => (isEmpty(given[0]) ? fallback : given[0]))],
    ['empty', func([ANY], isEmpty)],
    ['coalesce', variadic([], ANY, (...values) => values.find((value) => !isEmpty(value)) ?? null)],
    ['ternary', func([ANY, ANY, BOOL], (yes, no, condition) => (condition ? yes : no))],
    ['kindOf', func([ANY], kindOf)],
    ['kindIs', func([STRING, ANY], (kind, value) => kindOf(value) === kind)],
    ['typeOf', func([ANY], typeName)],
    ['typeIs', func([STRING, ANY], (type, value) => typeName(value) === type)],
    ['typeIsLike', func([STRING, ANY], (type, value) => typeName(value) === type || typeName(value) === `*${type}`)],
    ['deepEqual', func([ANY, ANY], (a, b) => deepEqual(a, b))],
    ['fail', func([STRING], fail)],
    ['toJson', funcWith([ANY], quiet(compactJson))],
    ['mustToJson', funcWith([ANY], compactJson)],
    ['toPrettyJson', funcWith([ANY], quiet(prettyJson))],
    ['mustToPrettyJson', funcWith([ANY], prettyJson)],
    ['toRawJson', funcWith([ANY], rawJson)],
    ['mustToRawJson', funcWith([ANY], rawJson)],
    ['fromJson', func([STRING], fromJsonOrNil)],
    ['mustFromJson', func([STRING], unmarshalJson)],
  ];
}

function fail(message: string): never {
  throw new GoError(message);
}

type Encoder = (execution: Execution, value: GoValue) => string;

function compactJson({ budget }: Execution, value: GoValue): string {
  return marshalJson(value, { escapeHtml: true, indent: 0, budget });
}

function prettyJson({ budget }: Execution, value: GoValue): string {
  return marshalJson(value, { escapeHtml: true, indent: 2, budget });
}

function rawJson({ budget }: Execution, value: GoValue): string {
  return marshalJson(value, { escapeHtml: false, indent: 0, budget });
}

/** An encoder whose errors give an empty text; limits still fail. */
function quiet(encode: Encoder): Encoder {
  return (execution, value) => {
    try {
      return encode(execution, value);
    } catch (error) {
      if (error instanceof GoError) return '';
      throw error;
    }
  };
}

function fromJsonOrNil(text: string): GoValue {
  try {
    return unmarshalJson(text);
  } catch (error) {
    if (error instanceof GoError) return null;
    throw error;
  }
}
