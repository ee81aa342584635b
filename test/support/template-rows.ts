// Owns tables of templates beside what Go's text/template and sprig make of them, over the same data in all of them.
import { describe, expect, it } from 'vitest';
import { renderTemplate } from './render-template.ts';

/** What the templates of these tables see as `.`. */
export const DATA = {
  s: 'text',
  n: null,
  i: 3,
  x: -2.5,
  l: [1, 'b', null, true],
  ls: ['b', 'a'],
  m: { a: 1, b: { c: 'd' } },
  e: '',
  t: true,
};

/** One test per row: a template, and its output or `error: ` with the message. */
export function describeTemplates(name: string, rows: readonly (readonly [template: string, output: string])[]): void {
  describe(name, () => {
    it.each(rows)('%s', (template, output) => {
      expect(renderTemplate(template, DATA)).toBe(output);
    });
  });
}
