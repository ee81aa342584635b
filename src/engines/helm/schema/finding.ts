// Owns what a schema finds wrong with a value, and the text of it: a tree of findings, indented, in the words of the
// validator that Helm uses.
import { formatNumber } from '../../../lang/gotemplate/strconv.ts';
import { goQuote } from '../../../lib/goquote.ts';
import { isJsonObject, type JsonValue } from '../../../lib/json.ts';

/** One finding; `group` and `reference` only hold others together. */
export interface Finding {
  readonly path: readonly string[];
  readonly kind: 'finding' | 'group' | 'reference';
  readonly text: string;
  readonly causes: readonly Finding[];
}

/** The findings as lines `- at '/path': text`, each cause deeper than what it explains. */
export function formatFindings(finding: Finding): string {
  const lines: string[] = [];
  const top = finding.kind === 'group' ? finding.causes : [finding];
  for (const each of top) formatInto(each, 0, lines);
  return lines.join('\n');
}

function formatInto(finding: Finding, indent: number, lines: string[]): void {
  // A reference with one cause adds nothing to say.
  const skip = finding.kind === 'reference' && finding.causes.length === 1;
  if (!skip) {
    const pointer = finding.path.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    lines.push(`${'  '.repeat(indent)}- at ${quote(pointer)}: ${finding.text}`);
  }
  for (const cause of finding.causes) formatInto(cause, skip ? indent : indent + 1, lines);
}

/** Text in single quotes, escaped as in Go. */
export function quote(text: string): string {
  return `'${goQuote(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

/** A value as a message shows it. */
export function display(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value) || isJsonObject(value)) return 'value';
  return value === null ? '<nil>' : String(value);
}

/** A count with thousands separated, as the validator's English texts have it. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number in the same texts: where Go would write an exponent, ten to the power of it. */
export function number(value: number): string {
  const [mantissa = '', exponent] = formatNumber(value).split('e');
  if (exponent === undefined) return value.toLocaleString('en-US', { maximumFractionDigits: 20 });
  const raised = exponent.replace('+', '').replace(/[-0-9]/g, (digit) => SUPERSCRIPT[digit]!);
  return `${mantissa}×10${raised}`;
}

const SUPERSCRIPT: Readonly<Record<string, string>> = Object.fromEntries(
  ['-⁻', '0⁰', '1¹', '2²', '3³', '4⁴', '5⁵', '6⁶', '7⁷', '8⁸', '9⁹'].map(([digit = '', small = '']) => [digit, small]),
);
