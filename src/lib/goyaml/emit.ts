// Owns writing nodes as Go's yaml.v3 does. Values without nodes are written by sigs.ts.
import { createEvent, type EmitEvent } from './internal/emit-event.ts';
import { Emitter } from './internal/emitter.ts';
import type { YamlNode } from './node.ts';
import { longTag, plainTag } from './resolve.ts';

/** How to lay YAML out. */
export interface EmitOptions {
  /** Columns per level, 2 to 9. @default 2 (kyaml; yaml.v3 alone has 4) */
  readonly indent?: number;
  /** Whether the `- ` of a list below a key stands deeper than the key. @default 'compact' (kyaml) */
  readonly sequenceStyle?: 'wide' | 'compact';
}

/** Writes nodes (documents, or root nodes of documents) as one stream, `---` between them. */
export function emitDocuments(nodes: readonly YamlNode[], options: EmitOptions = {}): string {
  const indent = options.indent ?? 2;
  const compact = options.sequenceStyle !== 'wide';
  const emitter = new Emitter({ dialect: 'v3', indent: indent < 2 || indent > 9 ? 2 : indent, compact });
  for (const node of nodes) {
    const isDocument = node.kind === 'document';
    emitter.startDocument(isDocument ? node.headComment : '');
    const roots = isDocument ? node.content : [node];
    for (const root of roots) emitTree(emitter, root);
    emitter.endDocument(isDocument ? node.footComment : '');
  }
  return emitter.output;
}

/** A collection being written. */
interface Frame {
  readonly node: YamlNode;
  index: number;
  /** Foot of the last key, written before the next one. */
  tail: string;
  /** Foot of the collection itself; '' for a key, whose foot stands under its value. */
  readonly foot: string;
}

function emitTree(emitter: Emitter, root: YamlNode): void {
  const event = createEvent();
  const frames: Frame[] = [];
  const open = (node: YamlNode, tail: string, foot: string): void => {
    begin(event, node, tail, foot);
    emitter.emit(event);
    if (node.kind === 'mapping' || node.kind === 'sequence') frames.push({ node, index: 0, tail: '', foot });
  };
  open(root, '', root.footComment);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const { node } = frame;
    const isMap = node.kind === 'mapping';
    const child = node.content[frame.index];
    if (child === undefined || (isMap && frame.index % 2 === 0 && frame.index + 1 >= node.content.length)) {
      frames.pop();
      end(event, frame);
      emitter.emit(event);
      continue;
    }
    const isKey = isMap && frame.index % 2 === 0;
    frame.index++;
    if (isKey) {
      // The value may be long: what stands under the pair is written when the next one begins.
      const { tail } = frame;
      frame.tail = child.footComment;
      open(child, tail, '');
    } else {
      open(child, '', child.footComment);
    }
  }
}

function begin(event: EmitEvent, node: YamlNode, tail: string, foot: string): void {
  event.head = node.headComment;
  event.line = '';
  event.foot = '';
  event.tail = '';
  event.anchor = node.anchor;
  event.tag = '';
  event.flow = node.style.flow === true;
  switch (node.kind) {
    case 'alias':
      event.type = 'alias';
      event.anchor = node.value;
      event.line = node.lineComment;
      event.foot = foot;
      return;
    case 'sequence':
    case 'mapping': {
      const isMap = node.kind === 'mapping';
      event.type = isMap ? 'mappingStart' : 'sequenceStart';
      event.empty = node.content.length < (isMap ? 2 : 1);
      event.tag = isGuessed(node, isMap ? '!!map' : '!!seq') ? '' : longTag(node.tag);
      if (isMap) event.tail = tail;
      return;
    }
    default:
      event.type = 'scalar';
      event.line = node.lineComment;
      event.foot = foot;
      event.tail = tail;
      beginScalar(event, node);
  }
}

function isGuessed(node: YamlNode, guess: string): boolean {
  return node.tag === '' || (node.style.tagged !== true && node.tag === guess);
}

function beginScalar(event: EmitEvent, node: YamlNode): void {
  const { tag, value, style } = node;
  event.value = value;
  event.style = style.scalar ?? (value.includes('\n') ? 'literal' : undefined);
  if (tag === '') return;
  event.tag = longTag(tag);
  if (style.tagged === true) return;
  if (tag === '!!str' && style.scalar !== undefined) {
    event.tag = '';
    return;
  }
  const guess = plainTag(value);
  if (guess === tag) {
    event.tag = '';
  } else if (tag === '!!str') {
    event.tag = '';
    event.style ??= 'double';
  }
}

function end(event: EmitEvent, { node, tail, foot }: Frame): void {
  event.type = node.kind === 'mapping' ? 'mappingEnd' : 'sequenceEnd';
  event.head = '';
  event.tail = tail;
  event.line = node.lineComment;
  event.foot = foot;
}
