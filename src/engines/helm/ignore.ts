// Owns .helmignore: reading its rules and judging paths. It is no gitignore: globs are Go's path.Match, the first rule
// that decides wins, and a negated rule ignores everything that it does not match.
import { matchPath } from '../../lib/glob.ts';
import { HelmError } from './errors.ts';

/** True when a path (relative to the chart, with slashes) is to be left out. */
export type IgnoreRules = (path: string, isDirectory: boolean) => boolean;

interface Rule {
  readonly pattern: string;
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  /** Match the whole path, not its last segment. */
  readonly wholePath: boolean;
}

/** Hidden files among the templates are never templates. */
const DEFAULT_RULE = 'templates/.?*';

/** Reads the text of a .helmignore; the default rule comes last. Throws HelmError `ChartInvalid`. */
export function parseIgnore(text: string): IgnoreRules {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const rules = [...lines, DEFAULT_RULE].flatMap(parseRule);
  return (path, isDirectory) => {
    for (const rule of rules) {
      const applies = !rule.directoryOnly || isDirectory;
      if (rule.negated) {
        if (!applies || !matches(rule, path)) return true;
      } else if (applies && matches(rule, path)) return true;
    }
    return false;
  };
}

function parseRule(line: string): Rule[] {
  let pattern = line.trim();
  if (pattern === '' || pattern.startsWith('#')) return [];
  if (pattern.includes('**')) throw new HelmError('ChartInvalid', 'double-star (**) syntax is not supported', {});
  // A bad pattern is refused now, not when a path happens to reach the bad part of it.
  matchPath(pattern, 'abc');
  const negated = pattern.startsWith('!');
  if (negated) pattern = pattern.slice(1);
  const directoryOnly = pattern.endsWith('/');
  if (directoryOnly) pattern = pattern.slice(0, -1);
  const wholePath = pattern.includes('/');
  return [{ pattern: pattern.replace(/^\//, ''), negated, directoryOnly, wholePath }];
}

function matches(rule: Rule, path: string): boolean {
  const subject = rule.wholePath ? path : path.slice(path.lastIndexOf('/') + 1);
  return matchPath(rule.pattern, subject);
}
