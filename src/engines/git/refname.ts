// Owns the rules for names of refs. Knows no repository.

/** Whether Git would accept the name (`git check-ref-format`), so that it may be sent to a server. */
export function isRefName(name: string): boolean {
  if (name === '' || name === '@' || name.length > 4096) return false;
  // Control characters, space, and what revisions and refspecs mean something by.
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(name)) return false;
  if (name.includes('..') || name.includes('//') || name.includes('@{')) return false;
  if (name.startsWith('/') || name.endsWith('/') || name.endsWith('.')) return false;
  return name.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}
