// Owns the limits on aliases: none may lead to itself, and they may not make most of a large document.
import { YamlError } from '../error.ts';
import type { YamlNode } from '../node.ts';

const RATIO_LOW = 400_000;
const RATIO_HIGH = 4_000_000;

/** The share of decoded nodes that may come from aliases, in a document of this size. */
function allowedAliasRatio(count: number): number {
  if (count <= RATIO_LOW) return 0.99;
  if (count >= RATIO_HIGH) return 0.1;
  return 0.99 - 0.89 * ((count - RATIO_LOW) / (RATIO_HIGH - RATIO_LOW));
}

/** Counts decoded nodes as go-yaml does. */
export class AliasGuard {
  readonly #aliases = new Set<YamlNode>();
  #count = 1;
  #aliasCount = 0;
  #aliasDepth = 0;

  /** Counts a node. */
  tick(): void {
    this.#count++;
    if (this.#aliasDepth === 0) return;
    this.#aliasCount++;
    if (this.#aliasCount <= 100 || this.#count <= 1000) return;
    if (this.#aliasCount / this.#count <= allowedAliasRatio(this.#count)) return;
    throw new YamlError('YamlLimit', 'yaml: document contains excessive aliasing');
  }

  /** Goes through an alias. */
  follow(alias: YamlNode): void {
    if (this.#aliases.has(alias)) {
      throw new YamlError('YamlReference', `yaml: anchor '${alias.value}' value contains itself`, {
        line: alias.line,
        column: alias.column,
      });
    }
    this.#aliases.add(alias);
    this.#aliasDepth++;
  }

  /** Comes back through aliases. */
  leave(aliases: readonly YamlNode[] | undefined): void {
    if (aliases === undefined) return;
    this.#aliasDepth -= aliases.length;
    for (const alias of aliases) this.#aliases.delete(alias);
  }
}
