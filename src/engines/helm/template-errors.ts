// Owns how Helm words the errors of its templates: the parser's last words, `execution error at` for messages that a
// chart's author wrote, and Helm 4's blocks. The errors themselves come from lang/gotemplate.
import { TemplateError } from '../../lang/gotemplate/errors.ts';
import { isStackOverflow, LimitError } from '../../lang/gotemplate/execution.ts';
import type { Compat } from './compat.ts';
import { HelmError } from './errors.ts';
import { UserError } from './functions.ts';

/** The error of a render as Helm reports it. */
export function describeTemplateError(error: unknown, compat: Compat): HelmError {
  if (error instanceof HelmError) return error;
  if (!(error instanceof TemplateError)) {
    const text = error instanceof Error ? error.message : String(error);
    return new HelmError('TemplateFailed', `rendering template failed: ${text}`, {}, { cause: error });
  }
  const path = error.data.file;
  const text = error.code === 'TemplateParse' ? parseText(error) : executionText(error, compat);
  return new HelmError('TemplateFailed', text, { path }, { cause: error });
}

/** True when the stack was full: with a larger one the same render may get further. */
export function ranOutOfStack(error: unknown): boolean {
  return causes(error).some(
    (each) => isStackOverflow(each) || (each instanceof LimitError && each.data.limit === 'maxDepth'),
  );
}

/** Location, then whatever follows the last colon: that is all Helm keeps of a parse error. */
function parseText(error: TemplateError): string {
  const tokens = error.message.split(': ');
  return `parse error at (${tokens[1]}): ${tokens.at(-1)}`;
}

function executionText(error: TemplateError, compat: Compat): string {
  const user = causes(error).find((each) => each instanceof UserError);
  if (user !== undefined) return `execution error at (${error.message.split(': ')[1]}): ${user.message}`;
  return compat === 'helm3' ? error.message : traceText(error);
}

/** The error and what caused it, outermost first. */
function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause) chain.push(each);
  return chain;
}

/** Helm 4: one block per link of the chain, unless some link is no template error. */
function traceText(error: TemplateError): string {
  const blocks: string[] = [];
  for (const each of causes(error)) {
    const block = traceBlock(each.message);
    if (block === undefined) return error.message;
    if (block !== blocks.at(-1)) blocks.push(block);
  }
  return blocks.join('').trim();
}

function traceBlock(message: string): string | undefined {
  if (!message.startsWith('template: ')) return undefined;
  const rest = message.slice('template: '.length);
  if (rest.startsWith('no template ')) return `${message}\n`;
  const executing = /^(.*?): executing "([^"]*)" at <(.*?)>: (.*)$/s.exec(rest);
  if (executing !== null) {
    const [, location = '', template = '', node = '', detail = ''] = executing;
    return `${location}\n  executing "${template}" at <${node}>:\n    ${beforeNext(detail)}\n`;
  }
  const colon = rest.lastIndexOf(': ');
  return colon < 0 ? undefined : `${rest.slice(0, colon)}\n  ${beforeNext(rest.slice(colon + 2))}\n`;
}

/** Cuts the text of the next link off a message. */
function beforeNext(message: string): string {
  const next = message.indexOf(' template:');
  return next < 0 ? message : message.slice(0, next);
}
