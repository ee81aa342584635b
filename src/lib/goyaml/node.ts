// Owns the YAML document tree, shaped as Go's yaml.v3 Node has it, so that comments, styles and positions survive
// an edit. Parsing is parse.ts, writing is emit.ts.

export type NodeKind = 'document' | 'mapping' | 'sequence' | 'scalar' | 'alias';

/** How a node was or is to be written. `tagged` writes the tag even where it could be guessed. */
export interface NodeStyle {
  readonly tagged?: boolean;
  readonly scalar?: 'double' | 'single' | 'literal' | 'folded';
  readonly flow?: boolean;
}

/** One node of a YAML document. Mapping content is key, value, key, value; a document has one child at most. */
export interface YamlNode {
  kind: NodeKind;
  style: NodeStyle;
  /** Short tag (`!!str`, `!!int`, `!!map`, `!custom`); '' when not yet resolved. */
  tag: string;
  /** Text of a scalar, unescaped; the anchor name of an alias. */
  value: string;
  anchor: string;
  /** The node an alias stands for. */
  alias: YamlNode | undefined;
  content: YamlNode[];
  headComment: string;
  lineComment: string;
  footComment: string;
  /** 1-based; 0 for a node that was not read from text. */
  line: number;
  column: number;
}

/** The style of a node that asks for nothing. Shared, so that styles can be compared by identity where it is hot. */
export const plainStyle: NodeStyle = Object.freeze({});

/** Makes a node with every field present (one hidden class keeps tree walks fast). */
export function createNode(kind: NodeKind, tag = '', value = '', content: YamlNode[] = []): YamlNode {
  return {
    kind,
    style: plainStyle,
    tag,
    value,
    anchor: '',
    alias: undefined,
    content,
    headComment: '',
    lineComment: '',
    footComment: '',
    line: 0,
    column: 0,
  };
}
