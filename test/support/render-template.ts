// Owns rendering one template with sprig and no more, for unit tests of the template language.

import type { Limits } from '../../src/lang/gotemplate/execution.ts';
import { funcWith } from '../../src/lang/gotemplate/function.ts';
import { sprigFunctions } from '../../src/lang/gotemplate/sprig/functions.ts';
import { createExecution, createTemplateCache, createTemplateSet } from '../../src/lang/gotemplate/template.ts';
import { ANY, STRING } from '../../src/lang/gotemplate/value.ts';
import { fromJson } from '../../src/lang/gotemplate/value-json.ts';
import { errorMessage } from '../../src/lib/errors.ts';
import type { JsonValue } from '../../src/lib/json.ts';
import { testHost } from './template-host.ts';

const functions = sprigFunctions();
functions.set(
  'include',
  funcWith([STRING, ANY], (execution, name, data) => execution.templates.execute(name, data, execution)),
);
const cache = createTemplateCache(functions);

/** The text of a template named `t` on some data, or `error: ` and the message. */
export function renderTemplate(template: string, data: JsonValue = null, limits: Partial<Limits> = {}): string {
  const set = createTemplateSet(cache);
  try {
    set.parse('t', template);
    return set.execute('t', fromJson(data), createExecution(set, { host: testHost(), context: undefined, limits }));
  } catch (error) {
    return `error: ${errorMessage(error)}`;
  }
}
