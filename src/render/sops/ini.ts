// Owns INI files as SOPS keeps them: sections of keys, read and written as Go's ini package does for plain files.
import { SopsBranch, type SopsItem, type SopsValue, sopsInvalid } from './tree.ts';

/** Sections with their keys; keys before the first section stand in `DEFAULT`. */
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
    if (section !== null) {
      const name = section[1]!.trim();
      current = sections.get(name) ?? [];
      sections.set(name, current);
    } else current.push(parseKey(line));
    if (comments.length > 0) current.push(...comments.map((comment) => ({ comment })));
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
    const lines = emitKeys(section.value);
    if (section.key !== 'DEFAULT') out.push([`[${section.key}]`, ...lines].join('\n'));
    else if (lines.length > 0) out.push(lines.join('\n'));
  }
  return out.length === 0 ? '' : `${out.join('\n\n')}\n`;
}

function emitKeys(branch: SopsBranch): string[] {
  const keys = branch.items.flatMap((item) => ('key' in item ? [item.key] : []));
  const width = Math.max(0, ...keys.map((key) => key.length));
  return branch.items.map((item) =>
    'comment' in item ? `; ${item.comment}` : `${item.key.padEnd(width)} = ${quoteValue(item.value)}`,
  );
}

function quoteValue(value: SopsValue): string {
  if (typeof value === 'object' && value !== null) throw sopsInvalid('Error encoding key: it has a complex value');
  const text = String(value);
  if (/[\n`]/.test(text)) return `"""${text}"""`;
  return /[#;]/.test(text) || text !== text.trim() ? `\`${text}\`` : text;
}
