// Owns the errors of parsing and executing templates: Go's texts, with the place as data.
import { CodedError } from '../../lib/errors.ts';

/** Where a template failed. */
export interface TemplateErrorData {
  /** Name the text was parsed under (a chart path, `gotpl`): the file that holds the failing action. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 0-based, in bytes; only for execution errors that have a node. */
  readonly column?: number;
  /** Name of the executing template; only for execution errors. */
  readonly template?: string;
  /** The failing node in source form. */
  readonly node?: string;
  /** The text after the position. */
  readonly detail: string;
}

/**
 * A template that does not parse (`TemplateParse`: `template: FILE:LINE: …`) or fails when run (`TemplateExecution`:
 * `template: FILE:LINE:COLUMN: executing "T" at <NODE>: …`).
 * When a function failed, `cause` is what it threw; nested templates give a chain of causes.
 */
export class TemplateError extends CodedError<'TemplateParse' | 'TemplateExecution', TemplateErrorData> {}
