// Owns INI files as SOPS keeps them: sections of keys, read and written as Go's ini package does for plain files.
import { SopsBranch, type SopsItem, type SopsValue, sopsInvalid } from './tree.ts';

/**
 * Sections with their keys; keys before the first section stand in `DEFAULT`. As SOPS has it, the comment of a section
 * is its first item, and the comment of a key stands behind the key.
 */
export function parseIni(text: string): SopsBranch {
  const sections = new Map<string, SopsItem[]>([['DEFAULT', []]]);
  let current = sections.get('DEFAULT')!;
  let comments: string[] = [];
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '') continue;
    if (line.startsWith('#') || line.startsWith(';')) {
      comments.push(line.replace(/^[#;]+ */, ''));
      continue;
    }
    const section = /^\[(.*)\]$/.exec(line);
    if (section === null) current.push(parseKey(line));
    else {
      const name = section[1]!.trim();
      current = sections.get(name) ?? [];
      sections.set(name, current);
    }
    if (comments.length > 0) current.push({ comment: comments.join('\n') });
    comments = [];
  }
  return new SopsBranch([...sections].map(([key, items]) => ({ key, value: new SopsBranch(items) })));
}

function parseKey(line: string): SopsItem {
  const separator = /[=:]/.exec(line);
  if (separator === null) throw sopsInvalid('Could not unmarshal input data: key-value delimiter not found');
  const value = line.slice(separator.index + 1).trim();
  const quoted = /^"""([\s\S]*)"""$|^`([\s\S]*)`$|^"([^"]*)"$|^'([^']*)'$/.exec(value);
  const text = quoted === null ? value : (quoted[1] ?? quoted[2] ?? quoted[3] ?? quoted[4] ?? '');
  return { key: line.slice(0, separator.index).trim(), value: text };
}

/** Writes sections with their keys lined up at `=`; the nameless section has no header and is left out when empty. */
export function emitIni(branch: SopsBranch): string {
  const out: string[] = [];
  for (const section of branch.items) {
    if (!('key' in section)) continue;
    if (!(section.value instanceof SopsBranch)) {
      throw sopsInvalid('Error encoding section: Section values should always be TreeBranches');
    }
    const [first, ...rest] = section.value.items;
    const isCommented = first !== undefined && 'comment' in first;
    const lines = emitKeys(isCommented ? rest : section.value.items);
    if (section.key !== 'DEFAULT') lines.unshift(`[${section.key}]`);
    if (isCommented) lines.unshift(commentLine(first.comment));
    if (lines.length > 0) out.push(lines.join('\n'));
  }
  return out.length === 0 ? '' : `${out.join('\n\n')}\n`;
}

function commentLine(text: string): string {
  return `; ${text}`;
}

function emitKeys(items: readonly SopsItem[]): string[] {
  const width = Math.max(0, ...items.map((item) => ('key' in item ? item.key.length : 0)));
  return items.flatMap((item, index) => {
    if ('comment' in item) return [];
    const line = `${item.key.padEnd(width)} = ${quoteValue(item.value)}`;
    const next = items[index + 1];
    return next !== undefined && 'comment' in next ? [commentLine(next.comment), line] : [line];
  });
}

function quoteValue(value: SopsValue): string {
  if (typeof value === 'object' && value !== null) throw sopsInvalid('Error encoding key: it has a complex value');
  const text = String(value);
  if (/[\n`]/.test(text)) return `"""${text}"""`;
  return /[#;]/.test(text) || text !== text.trim() ? `\`${text}\`` : text;
}
