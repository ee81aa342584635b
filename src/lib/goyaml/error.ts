// Owns the error that everything about YAML throws. Its message is the text that Go prints, `yaml: …` included.
import { CodedError } from '../errors.ts';

/** What can go wrong with YAML. */
export type YamlErrorCode =
  /** Not YAML: the scanner or the grammar gave up. */
  | 'YamlSyntax'
  /** An alias without an anchor, an anchor that contains itself, or a merge of something that is no map. */
  | 'YamlReference'
  /** Nested too deeply, or aliases that expand to too much. */
  | 'YamlLimit'
  /** A key given twice where that is refused. */
  | 'YamlDuplicateKey'
  /** YAML that has no form in the target: JSON without infinity, a map as a key, text that is no `!!int`. */
  | 'YamlValue';

/** Where it went wrong, 1-based; 0 when the place is not known. */
export interface YamlErrorData {
  readonly line: number;
  readonly column: number;
}

/** A failure to read or write YAML. */
export class YamlError extends CodedError<YamlErrorCode, YamlErrorData> {
  constructor(code: YamlErrorCode, message: string, place: YamlErrorData = { line: 0, column: 0 }) {
    super(code, message, place);
  }
}
