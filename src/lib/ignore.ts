// Owns ignore patterns as Flux reads them in `.sourceignore` files and `spec.ignore` (flux.md §2.5). They look like
// gitignore and differ: a directory that is ignored may still hold files that are not. What is archived is others'
// business. The `ignore` package follows Git's rules and cannot express this.
import { matchPath } from './glob.ts';

/** One pattern with the directory that it stands in. */
export interface IgnorePattern {
  readonly domain: readonly string[];
  readonly includes: boolean;
  readonly dirOnly: boolean;
  readonly parts: readonly PartMatcher[];
}

/** How one segment of a pattern is compared; nearly all are plain names or `*.ext`, which cost nothing. */
type PartMatcher =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'suffix'; readonly text: string }
  | { readonly kind: 'glob'; readonly text: string }
  | { readonly kind: 'empty' }
  | { readonly kind: 'double-star' }
  /** `**` beside other text, in a pattern with slashes: matches nothing. */
  | { readonly kind: 'never' };

/** Never in an artifact, whatever the patterns say before them: lowest priority, so that `!` can bring them back. */
export const VCS_PATTERNS: readonly string[] = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'];

/** In force only where no other pattern exists anywhere. */
export const DEFAULT_PATTERNS: readonly string[] = [
  ...['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
  ...['.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml', 'cloudbuild.yaml'],
  ...['codeship-services.yml', 'codeship-steps.yml'],
  ...['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
];

// Go's line scanner gives up at a line of this length, and with it the rest of the text.
const MAX_LINE_BYTES = 64 * 1024;

/** Reads a text of patterns. Lines that are blank or begin with `#` are skipped. */
export function parseIgnore(text: string, domain: readonly string[] = []): IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  for (const line of text.split('\n')) {
    if (Buffer.byteLength(line) >= MAX_LINE_BYTES) break;
    const pattern = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (pattern.startsWith('#') || pattern.trim() === '') continue;
    patterns.push(parseIgnorePattern(pattern, domain));
  }
  return patterns;
}

/** Reads one pattern. */
export function parseIgnorePattern(text: string, domain: readonly string[] = []): IgnorePattern {
  const includes = text.startsWith('!');
  let rest = includes ? text.slice(1) : text;
  if (!rest.endsWith('\\ ')) rest = rest.replace(/ +$/, '');
  const dirOnly = rest.endsWith('/');
  if (dirOnly) rest = rest.slice(0, -1);
  const segments = rest.split('/');
  return { domain, includes, dirOnly, parts: segments.map((segment) => parsePart(segment, segments.length > 1)) };
}

/** The patterns that are in force: those given, or the defaults when there are none; the VCS ones always. */
export function withDefaultIgnores(patterns: readonly IgnorePattern[]): IgnorePattern[] {
  const base = patterns.length === 0 ? [...VCS_PATTERNS, ...DEFAULT_PATTERNS] : VCS_PATTERNS;
  return [...base.map((text) => parseIgnorePattern(text)), ...patterns];
}

/** Whether a path is ignored: the last pattern that says anything decides. */
export function isIgnored(patterns: readonly IgnorePattern[], path: string, isDir: boolean): boolean {
  if (path === '') return false;
  const segments = path.split('/');
  for (let index = patterns.length - 1; index >= 0; index--) {
    const pattern = patterns[index] as IgnorePattern;
    if (matches(pattern, segments, isDir)) return !pattern.includes;
  }
  return false;
}

function matches(pattern: IgnorePattern, path: readonly string[], isDir: boolean): boolean {
  const start = pattern.domain.length;
  if (path.length <= start) return false;
  for (let index = 0; index < start; index++) if (path[index] !== pattern.domain[index]) return false;
  return pattern.parts.length > 1 ? matchesPath(pattern, path, start, isDir) : matchesName(pattern, path, start, isDir);
}

// A pattern without a slash matches any segment: of the path itself, or of a directory above it.
function matchesName(pattern: IgnorePattern, path: readonly string[], start: number, isDir: boolean): boolean {
  const part = pattern.parts[0] as PartMatcher;
  for (let index = start; index < path.length; index++) {
    if (!matchesPart(part, path[index] as string)) continue;
    return !(pattern.dirOnly && !isDir && index === path.length - 1);
  }
  return false;
}

// Segment by segment from the pattern's directory; what lies below a match matches too.
function matchesPath(pattern: IgnorePattern, path: readonly string[], start: number, isDir: boolean): boolean {
  let at = start;
  let matched = false;
  let skips = false;
  for (const [index, part] of pattern.parts.entries()) {
    if (part.kind === 'empty') {
      skips = false;
      continue;
    }
    if (part.kind === 'double-star') {
      if (index === pattern.parts.length - 1) break;
      skips = true;
      continue;
    }
    if (part.kind === 'never' || at >= path.length) return false;
    if (!skips) {
      if (!matchesPart(part, path[at++] as string)) return false;
      matched = true;
      continue;
    }
    skips = false;
    matched = false;
    while (at < path.length && !matched) matched = matchesPart(part, path[at++] as string);
  }
  return matched && !(pattern.dirOnly && !isDir && at === path.length);
}

function parsePart(text: string, inPath: boolean): PartMatcher {
  if (text === '') return { kind: 'empty' };
  if (text === '**') return { kind: 'double-star' };
  if (inPath && text.includes('**')) return { kind: 'never' };
  if (!/[*?[\\]/.test(text)) return { kind: 'name', text };
  if (/^\*[^*?[\\]+$/.test(text)) return { kind: 'suffix', text: text.slice(1) };
  return { kind: 'glob', text };
}

function matchesPart(part: PartMatcher, name: string): boolean {
  switch (part.kind) {
    case 'name':
      return part.text === name;
    case 'suffix':
      return name.endsWith(part.text);
    case 'glob':
      return matchesGlob(part.text, name);
    case 'empty':
      return name === '';
    case 'double-star':
      return matchesGlob('**', name);
    case 'never':
      return false;
    default:
      return part satisfies never;
  }
}

function matchesGlob(pattern: string, name: string): boolean {
  try {
    return matchPath(pattern, name);
  } catch {
    // A malformed pattern matches nothing, as in Flux.
    return false;
  }
}
